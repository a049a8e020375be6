#include "tools/load/load_run.h"

#include <unistd.h>

#include <atomic>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "tools/exit_code.h"
#include "tools/interrupt.h"
#include "tools/load/load_connection.h"
#include "tools/load/metadata.h"
#include "tools/load/picture_files.h"
#include "tools/load/picture_queue.h"
#include "tools/load/progress.h"
#include "tools/load/sha256.h"
#include "tools/printable.h"

namespace lookalike {
namespace {

constexpr size_t kQueueBytes = size_t{32} << 20;
constexpr size_t kFileBytes = size_t{64} << 20;
constexpr auto kLookEvery = std::chrono::milliseconds(50);

/// What reads, what sends and what shows progress have in common.
struct Load {
    const PictureFiles& files;
    const Metadata& metadata;
    Progress& progress;
    PictureQueue queue{kQueueBytes};
    std::atomic<unsigned> running = 0;
    std::mutex mutex{};
    std::optional<std::string> lost_database{};  ///< under the mutex
};

void read_all(Load& load) {
    for (size_t i = 0; i < load.files.relative.size() && !is_interrupted(); ++i) {
        const std::string path = load.files.absolute(i);
        try {
            Picture picture = {.index = i, .content = read_file(path, kFileBytes), .digest = {}};
            picture.digest = sha256(picture.content);
            if (!load.queue.push(std::move(picture))) break;
        } catch (const std::exception& error) {
            load.progress.fail({path, error.what()});
        }
    }
    load.queue.finish();
}

void send(Load& load, LoadConnection& connection, const Picture& picture) {
    const std::string path = load.files.absolute(picture.index);
    try {
        switch (connection.load(path, picture,
                                load.metadata.values(load.files.relative[picture.index]))) {
            case LoadOutcome::kAdded:
                return load.progress.add(&LoadCounts::added);
            case LoadOutcome::kChanged:
                return load.progress.add(&LoadCounts::changed);
            case LoadOutcome::kUnchanged:
                return load.progress.add(&LoadCounts::unchanged);
        }
    } catch (const PictureRefused& error) {
        // A picture that was cancelled is no failure of it.
        if (!is_interrupted()) load.progress.fail({path, error.what()});
    }
}

void send_all(Load& load, LoadConnection& connection) {
    try {
        while (!is_interrupted()) {
            const auto picture = load.queue.pop();
            if (!picture) break;
            send(load, connection, *picture);
        }
        if (!is_interrupted()) connection.settle();
    } catch (const std::exception& error) {
        const std::lock_guard lock(load.mutex);
        if (!load.lost_database && !is_interrupted()) load.lost_database = error.what();
        load.queue.stop();
    }
    --load.running;
}

void run_threads(Load& load, std::vector<std::unique_ptr<LoadConnection>>& connections) {
    load.running = static_cast<unsigned>(connections.size());
    std::vector<std::thread> threads;
    threads.emplace_back([&] { read_all(load); });
    for (auto& connection : connections)
        threads.emplace_back([&load, &connection] { send_all(load, *connection); });
    while (load.running > 0) {
        std::this_thread::sleep_for(kLookEvery);
        load.progress.show();
        if (!is_interrupted()) continue;
        load.queue.stop();
        for (auto& connection : connections) {
            try {
                connection->cancel();
            } catch (const std::exception&) {
                // Its thread meets the same end.
            }
        }
    }
    load.queue.stop();
    for (auto& thread : threads)
        thread.join();
    load.progress.clear();
}

void show_table(const LoadTable& table, const LoadOptions& options, const Metadata& metadata,
                const PictureFiles& files) {
    std::cout << (table.is_new ? "new table " : "table ") << printable(table.name)
              << ", features by " << printable(table.extractor);
    if (!table.locals.empty()) std::cout << ", local features by " << table.locals;
    std::cout << ", " << files.relative.size() << " pictures in " << printable(files.root.string())
              << '\n';
    if (options.metadata.empty()) return;
    std::cout << "metadata: \"" << printable(metadata.key()) << "\" names " << metadata.matched()
              << " of the pictures\n";
    for (size_t i = 0; i < table.filled.size(); ++i) {
        const auto& original = metadata.columns()[i].original;
        std::cout << "  " << printable(table.filled[i].name) << ' ' << table.filled[i].type;
        if (original != table.filled[i].name) std::cout << "  (" << printable(original) << ')';
        std::cout << '\n';
    }
    std::cout << std::flush;
}

int show_summary(const Load& load) {
    const LoadCounts counts = load.progress.counts();
    const double seconds = load.progress.seconds();
    std::cout << counts.added << " added, " << counts.changed << " changed, " << counts.unchanged
              << " unchanged, " << counts.failed << " failed in " << duration_text(seconds) << '\n'
              << std::flush;
    const auto failures = load.progress.failures();
    for (const auto& failure : failures)
        std::cerr << printable(failure.path) << ": " << printable(failure.reason) << '\n';
    if (counts.failed > failures.size())
        std::cerr << "and " << counts.failed - failures.size() << " more\n";
    if (load.lost_database) throw NoDatabase(*load.lost_database);
    if (is_interrupted()) {
        std::cerr << "interrupted; the same command goes on from here\n";
        return kInterrupted;
    }
    return counts.failed > 0 ? kSomeFilesFailed : kFine;
}

}  // namespace

int run_load(const LoadOptions& options) {
    const auto connection = connect(options.database);
    const PictureFiles files = find_pictures(options.folder);
    if (files.relative.empty() && files.failures.empty())
        throw WrongUse("no pictures in \"" + options.folder + "\"");
    Metadata metadata;
    LoadTable table;
    {
        pqxx::work work(*connection);
        require_extension(work);
        if (!options.metadata.empty())
            metadata = Metadata(read_metadata(work, options.metadata), files, options.key);
        table = open_load_table(work, options.table, metadata.columns());
        work.commit();
    }
    show_table(table, options, metadata, files);
    watch_interrupts();
    std::vector<std::unique_ptr<LoadConnection>> connections;
    for (unsigned i = 0; i < options.job_count; ++i)
        connections.push_back(std::make_unique<LoadConnection>(options.database, table));
    Progress progress(files.relative.size() + files.failures.size(), isatty(STDERR_FILENO) == 1);
    for (const auto& failure : files.failures)
        progress.fail(failure);
    Load load{.files = files, .metadata = metadata, .progress = progress};
    run_threads(load, connections);
    if (progress.counts().added + progress.counts().changed > 0 && !load.lost_database &&
        !is_interrupted())
        pqxx::nontransaction(*connection).exec("ANALYZE " + table.name);
    return show_summary(load);
}

}  // namespace lookalike
