#include "tools/gallery/server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tools/exit_code.h"
#include "tools/interrupt.h"
#include "tools/json_text.h"
#include "tools/static_files.h"

namespace lookalike {
namespace {

using httplib::Request;
using httplib::Response;

constexpr size_t kMaxPictureBytes = 20 << 20;
constexpr std::chrono::seconds kMaxUploadTime{30};
// A browser keeps up to six connections, and each has a thread while it is open.
constexpr size_t kThreads = 256;

void fail(Response& response, int status, const std::string& text) {
    response.status = status;
    response.set_content("{\"error\":" + json_text(text) + "}", "application/json");
}

// What has gone wrong, in words of the server, without what is its own.
void fail_by(Response& response, const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const BadRequest& error) {
        fail(response, 400, error.what());
    } catch (const NotThere& error) {
        fail(response, 404, error.what());
    } catch (const WrongUse& error) {
        fail(response, 400, error.what());
    } catch (const Busy& error) {
        fail(response, 503, error.what());
    } catch (const NoDatabase&) {
        fail(response, 503, "the database does not answer");
    } catch (const pqxx::sql_error& error) {
        const bool is_late = error.sqlstate() == "57014";
        fail(response, is_late ? 504 : 400,
             is_late ? "this took too long, and was ended" : primary_message(error));
    } catch (const std::exception& error) {
        fail(response, 500, error.what());
    }
}

void send(Response& response, Reply reply) {
    if (!reply.version.empty()) {
        response.set_header("ETag", "\"" + reply.version + "\"");
        response.set_header("Cache-Control", "private, max-age=60");
    } else {
        response.set_header("Cache-Control", "no-store");
    }
    if (reply.is_unchanged)
        response.status = 304;
    else
        response.set_content(std::move(reply.body), reply.type);
}

std::string known_version(const Request& request) {
    const std::string header = request.get_header_value("If-None-Match");
    const size_t begin = header.find('"');
    const size_t end = header.rfind('"');
    return begin == end ? "" : header.substr(begin + 1, end - begin - 1);
}

template <typename Make>
void answer(Response& response, const Make& make) {
    try {
        send(response, make());
    } catch (...) {
        fail_by(response, std::current_exception());
    }
}

void serve_file(httplib::Server& server, const char* path, const char* name, const char* type) {
    server.Get(path, [name, type](const Request&, Response& response) {
        response.set_header("Cache-Control", "no-cache");
        response.set_content(std::string(static_file(name)), type);
    });
}

// Size and time are limited while the content comes.
void receive(Gallery& gallery, const Request& request, Response& response,
             const httplib::ContentReader& read) {
    const auto deadline = std::chrono::steady_clock::now() + kMaxUploadTime;
    std::string content;
    bool is_large = false;
    bool is_late = false;
    const bool is_whole = read([&](const char* data, size_t length) {
        is_large = content.size() + length > kMaxPictureBytes;
        is_late = std::chrono::steady_clock::now() > deadline;
        if (is_large || is_late) return false;
        content.append(data, length);
        return true;
    });
    if (is_large) return fail(response, 413, "20 MB at most");
    if (is_late) return fail(response, 408, "the picture took too long to come");
    if (!is_whole)
        return fail(response, response.status == 413 ? 413 : 400,
                    response.status == 413 ? "20 MB at most" : "the picture did not come whole");
    answer(response, [&] { return take_picture(gallery, request.params, std::move(content)); });
}

void add_routes(httplib::Server& server, Gallery& gallery) {
    serve_file(server, "/", "gallery.html", "text/html; charset=utf-8");
    serve_file(server, "/gallery.css", "gallery.css", "text/css; charset=utf-8");
    serve_file(server, "/gallery.js", "gallery.js", "text/javascript; charset=utf-8");
    serve_file(server, "/icon.svg", "icon.svg", "image/svg+xml");
    server.Get("/api/table", [&](const Request&, Response& response) {
        answer(response, [&] { return describe_table(gallery); });
    });
    using Api = Reply (*)(Gallery&, const Parameters&);
    const auto get = [&](const char* path, Api api) {
        server.Get(path, [&gallery, api](const Request& request, Response& response) {
            answer(response, [&] { return api(gallery, request.params); });
        });
    };
    get("/api/search", search_pictures);
    get("/api/filters", count_facets);
    get("/api/duplicates", find_duplicates);
    using PictureApi = Reply (*)(Gallery&, const Parameters&, const std::string&);
    const auto get_picture = [&](const char* path, PictureApi api) {
        server.Get(path, [&gallery, api](const Request& request, Response& response) {
            answer(response, [&] { return api(gallery, request.params, known_version(request)); });
        });
    };
    get_picture("/picture/row", row_picture);
    get_picture("/picture/sent", sent_picture);
    server.Post("/api/pictures", [&](const Request& request, Response& response,
                                     const httplib::ContentReader& read) {
        receive(gallery, request, response, read);
    });
    server.Post("/api/marks", [&](const Request& request, Response& response) {
        answer(response, [&] { return keep_mark(gallery, request.params); });
    });
}

void set_limits(httplib::Server& server) {
    server.set_payload_max_length(kMaxPictureBytes);
    server.set_read_timeout(10, 0);
    server.set_write_timeout(20, 0);
    server.set_keep_alive_timeout(5);
    server.set_keep_alive_max_count(1000);
    server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server.set_tcp_nodelay(true);
    // Two servers must not share a port.
    server.set_socket_options([](auto socket) {
        const int yes = 1;
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    server.set_default_headers(
        {{"Content-Security-Policy",
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
          "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
         {"X-Content-Type-Options", "nosniff"},
         {"Referrer-Policy", "no-referrer"},
         {"Cross-Origin-Resource-Policy", "same-origin"},
         {"Cross-Origin-Opener-Policy", "same-origin"}});
}

// A page of another site may neither read nor write here, whatever name it gives this address.
bool is_allowed(const AllowedHosts& hosts, const Request& request) {
    const std::string host = request.get_header_value("Host");
    if (!hosts.allows(host)) return false;
    if (request.has_header("Origin")) return hosts.is_own(request.get_header_value("Origin"), host);
    return request.method == "GET" || request.method == "HEAD";
}

// What no browser sends to this page, and what the library would keep or repeat without bound.
bool is_bounded(const Request& request) {
    return request.get_header_value_count("Host") <= 1 && !request.has_header("Range") &&
           !request.has_header("Transfer-Encoding");
}

}  // namespace

struct GalleryServer::Http {
    httplib::Server server;
};

GalleryServer::GalleryServer(Gallery& gallery, Address address, std::vector<std::string> host_names)
    : gallery_(gallery),
      address_(std::move(address)),
      host_names_(std::move(host_names)),
      http_(std::make_unique<Http>()) {}

GalleryServer::~GalleryServer() = default;

const Address& GalleryServer::bind() {
    auto& server = http_->server;
    set_limits(server);
    const int port = address_.port;
    if (port == 0)
        address_.port = server.bind_to_any_port(address_.host);
    else if (!server.bind_to_port(address_.host, port))
        address_.port = -1;
    if (address_.port <= 0)
        throw WrongUse("--listen: cannot listen on " + address_.host + ", port " +
                       std::to_string(port) +
                       "; another program may do so already: choose another port, or 0 for any");
    return address_;
}

void GalleryServer::serve() {
    auto& server = http_->server;
    const AllowedHosts hosts(address_, host_names_);
    server.set_pre_routing_handler([&](const Request& request, Response& response) {
        if (!is_bounded(request)) {
            fail(response, 400, "a request has one host, a length, and no range");
            return httplib::Server::HandlerResponse::Handled;
        }
        if (is_allowed(hosts, request)) return httplib::Server::HandlerResponse::Unhandled;
        fail(response, 403, "this address is not for pages of other sites");
        return httplib::Server::HandlerResponse::Handled;
    });
    server.set_exception_handler(
        [](const Request&, Response& response, const std::exception_ptr& exception) {
            fail_by(response, exception);
        });
    add_routes(server, gallery_);
    std::atomic<bool> is_over = false;
    std::thread watch([&] {
        while (!is_over && !is_interrupted())
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        server.stop();
        gallery_.pool.cancel_all();
    });
    server.listen_after_bind();
    is_over = true;
    watch.join();
}

}  // namespace lookalike
