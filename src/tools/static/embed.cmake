# cmake -DOUTPUT=FILE.cpp -DFILES="a;b" -P embed.cmake: the files as constants, and static_file() to find them.
set(constants "")
set(cases "")
set(number 0)
foreach(path ${FILES})
  get_filename_component(name ${path} NAME)
  file(READ ${path} bytes HEX)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
  string(APPEND constants "constexpr char kFile${number}[] = {${bytes}'\\0'};\n")
  string(APPEND cases
         "    if (name == \"${name}\") return {kFile${number}, sizeof kFile${number} - 1};\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUTPUT} "#include \"tools/static_files.h\"

namespace lookalike {
namespace {

${constants}
}  // namespace

std::string_view static_file(std::string_view name) {
${cases}    return {};
}

}  // namespace lookalike
")
