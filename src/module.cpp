// What PostgreSQL calls when it loads the library.
#include "pg/server.h"

#include "am/options.h"
#include "am/planner/sorted_limit.h"
#include "am/scan_totals.h"
#include "inspect/explain.h"
#include "pg/image/settings.h"
#include "pg/image/shared_cache.h"
#include "pg/worker/warm_launcher.h"

extern "C" {
// Before PostgreSQL 16 the macro below leaves the symbol as hidden as the rest of the library.
extern __attribute__((visibility("default"))) const Pg_magic_struct* PG_MAGIC_FUNCTION_NAME(void);
PG_MODULE_MAGIC;

__attribute__((visibility("default"))) void _PG_init(void) {
    lookalike::define_image_settings();
    lookalike::define_scan_settings();
    lookalike::prepare_scan_totals();
    lookalike::define_options();  // reserves the prefix of all settings
    lookalike::sort_what_scans_find();
    lookalike::prepare_shared_cache();
    lookalike::set_up_warm_start();
    lookalike::extend_explain();
}
}
