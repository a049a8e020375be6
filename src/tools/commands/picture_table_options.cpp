#include "tools/commands/picture_table_options.h"

namespace lookalike {

void add_picture_table_options(CLI::App& command, PictureTableOptions& options) {
    command.add_option("-t,--table", options.table, "Table, as in SQL")->required();
    command.add_option("--by", options.measure,
                       "Column of descriptors or local features to compare by (default: the first "
                       "that has an index)");
    command.add_option("--key", options.key,
                       "Column that tells rows apart (default: the primary key)");
    command.add_option("--photo", options.photo, "Column of the pictures (default: it is found)");
}

}  // namespace lookalike
