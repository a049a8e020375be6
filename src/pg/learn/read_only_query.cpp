#include "pg/learn/read_only_query.h"

extern "C" {
#include "executor/spi.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
}

namespace lookalike {
namespace {

constexpr long kRowsAtOnce = 64;

/// What it calls may try to write all the same, and fails then.
bool only_reads(SPIPlanPtr plan) {
    List* sources = SPI_plan_get_plan_sources(plan);
    if (!SPI_is_cursor_plan(plan) || list_length(sources) != 1) return false;
    ListCell* cell;
    foreach (cell, static_cast<CachedPlanSource*>(linitial(sources))->query_list) {
        const auto* query = static_cast<Query*>(lfirst(cell));
        if (query->commandType != CMD_SELECT || query->hasModifyingCTE || query->rowMarks != NIL)
            return false;
    }
    return true;
}

Portal open_query(const char* query) {
    SPIPlanPtr plan = SPI_prepare(query, 0, nullptr);
    if (plan == nullptr)
        ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR),
                        errmsg("the query cannot be run: %s", SPI_result_code_string(SPI_result))));
    if (!only_reads(plan))
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("the query must be one SELECT that changes nothing")));
    return SPI_cursor_open(nullptr, plan, nullptr, nullptr, true);
}

void read_rows(Portal portal, TakeRow take_row, void* argument) {
    const MemoryContext caller = CurrentMemoryContext;
    const MemoryContext each =
        AllocSetContextCreate(caller, "row of a read-only query", ALLOCSET_DEFAULT_SIZES);
    for (;;) {
        SPI_cursor_fetch(portal, true, kRowsAtOnce);
        if (SPI_processed == 0) break;
        for (uint64 i = 0; i < SPI_processed; ++i) {
            CHECK_FOR_INTERRUPTS();
            MemoryContextReset(each);
            MemoryContextSwitchTo(each);
            take_row(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, argument);
            MemoryContextSwitchTo(caller);
        }
        SPI_freetuptable(SPI_tuptable);
    }
    MemoryContextDelete(each);
}

}  // namespace

void run_read_only(const char* query, TakeColumns take_columns, TakeRow take_row, void* argument) {
    // Functions in it are held to this as well; an ERROR takes the setting back.
    const int settings = NewGUCNestLevel();
    set_config_option("transaction_read_only", "on", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
                      true, 0, false);
    Portal portal = open_query(query);
    take_columns(portal->tupDesc, argument);
    read_rows(portal, take_row, argument);
    // Up to PostgreSQL 15 a RESET in a function undoes it.
    if (!XactReadOnly)
        ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
                        errmsg("the query must leave the transaction read-only")));
    SPI_cursor_close(portal);
    AtEOXact_GUC(false, settings);
}

}  // namespace lookalike
