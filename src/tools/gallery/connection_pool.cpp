#include "tools/gallery/connection_pool.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "tools/exit_code.h"
#include "tools/picture_table/picture_table.h"

namespace lookalike {
namespace {

constexpr std::chrono::seconds kPatience{4};

// 57P01 and its neighbours: the server ends the session.
bool ends_session(const pqxx::sql_error& error, const pqxx::connection& connection) {
    return !connection.is_open() || error.sqlstate().starts_with("57P");
}

}  // namespace

std::unique_ptr<pqxx::connection> ConnectionPool::open() const {
    auto connection = connect(options_);
    pqxx::nontransaction work(*connection);
    work.exec("SET default_transaction_read_only = on");
    work.exec("SET statement_timeout = " + std::to_string(timeout_ms_));
    work.exec("SET bytea_output = hex");
    work.exec("SET application_name = 'lookalike gallery'");
    find_extension(work);
    return connection;
}

std::unique_ptr<pqxx::connection> ConnectionPool::take() {
    std::unique_lock lock(mutex_);
    if (!given_.wait_for(lock, kPatience, [&] { return free_ > 0; }))
        throw Busy("too many people search at once, try again");
    --free_;
    std::unique_ptr<pqxx::connection> connection;
    if (!idle_.empty()) {
        connection = std::move(idle_.back());
        idle_.pop_back();
    } else {
        lock.unlock();
        try {
            connection = open();
        } catch (...) {
            lock.lock();
            ++free_;
            given_.notify_one();
            throw;
        }
        lock.lock();
    }
    used_.push_back(connection.get());
    return connection;
}

void ConnectionPool::give(std::unique_ptr<pqxx::connection> connection) {
    const std::lock_guard lock(mutex_);
    std::erase(used_, connection.get());
    if (connection->is_open()) idle_.push_back(std::move(connection));
    ++free_;
    given_.notify_one();
}

bool ConnectionPool::run_once(const std::function<void(pqxx::connection&)>& use,
                              std::string& loss) {
    auto connection = take();
    auto* const taken = connection.get();
    const auto lost = [&](const std::string& reason) {
        loss = reason;
        const std::lock_guard lock(mutex_);
        std::erase(used_, taken);
        connection.reset();
        // The others are as old.
        idle_.clear();
        ++free_;
        given_.notify_one();
        return false;
    };
    try {
        use(*connection);
    } catch (const pqxx::broken_connection& error) {
        return lost(error.what());
    } catch (const pqxx::sql_error& error) {
        if (ends_session(error, *connection)) return lost(primary_message(error));
        give(std::move(connection));
        throw;
    } catch (...) {
        give(std::move(connection));
        throw;
    }
    give(std::move(connection));
    return true;
}

void ConnectionPool::run(const std::function<void(pqxx::connection&)>& use) {
    std::string loss;
    if (run_once(use, loss) || run_once(use, loss)) return;
    throw NoDatabase(loss);
}

void ConnectionPool::cancel_all() {
    const std::lock_guard lock(mutex_);
    for (auto* connection : used_)
        try {
            connection->cancel_query();
        } catch (const std::exception&) {
            // It is gone already.
        }
}

}  // namespace lookalike
