#include "tools/gallery/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace lookalike {
namespace {

std::optional<int> parse_port(std::string_view text) {
    int port = -1;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), port);
    if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size() ||
        port < 0 || port > 65535)
        return std::nullopt;
    return port;
}

bool is_number(const std::string& host) {
    unsigned char bytes[16];
    return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
           inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

}  // namespace

std::optional<Address> parse_address(const std::string& text) {
    if (const auto port = parse_port(text)) return Address{"127.0.0.1", *port};
    const size_t colon = text.rfind(':');
    if (colon == std::string::npos) return std::nullopt;
    std::string host = text.substr(0, colon);
    const bool has_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (has_brackets)
        host = host.substr(1, host.size() - 2);
    else if (host.find_first_of(":[]") != std::string::npos)
        return std::nullopt;
    const auto port = parse_port(std::string_view(text).substr(colon + 1));
    if (host.empty() || !port) return std::nullopt;
    return Address{lower(host), *port};
}

bool is_loopback(const std::string& host) {
    return host == "localhost" || host == "::1" || (host.starts_with("127.") && is_number(host));
}

std::string authority(const Address& address) {
    const bool is_ipv6 = address.host.find(':') != std::string::npos;
    return (is_ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

AllowedHosts::AllowedHosts(const Address& address, std::vector<std::string> names)
    : address_(address), names_(std::move(names)) {
    for (auto& name : names_)
        name = lower(name);
}

bool AllowedHosts::allows(std::string_view host_header) const {
    const std::string text = lower(std::string(host_header));
    // Behind a proxy the port is another one.
    const std::string name = text.substr(0, text.rfind(':'));
    if (std::ranges::find(names_, text) != names_.end() ||
        std::ranges::find(names_, name) != names_.end())
        return true;
    const auto called = parse_address(text.find(':') == std::string::npos ? text + ":80" : text);
    if (!called || called->port != address_.port) return false;
    if (is_loopback(address_.host)) return is_loopback(called->host);
    return called->host == address_.host || is_loopback(called->host) || is_number(called->host);
}

bool AllowedHosts::is_own(std::string_view origin, std::string_view host_header) const {
    for (const std::string_view scheme : {"http://", "https://"})
        if (origin.starts_with(scheme))
            return lower(std::string(origin.substr(scheme.size()))) ==
                   lower(std::string(host_header));
    return false;
}

}  // namespace lookalike
