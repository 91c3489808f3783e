# cmake -DOUT=page_files.c -DFILES="a;b" -P embed.cmake: files as C arrays, in the table console.h declares.
set(types_html "text/html; charset=utf-8")
set(types_js "text/javascript; charset=utf-8")
set(types_css "text/css; charset=utf-8")

set(arrays "")
set(rows "")
set(number 0)
foreach(file ${FILES})
	get_filename_component(name ${file} NAME)
	get_filename_component(extension ${file} LAST_EXT)
	string(SUBSTRING ${extension} 1 -1 extension)
	file(READ ${file} bytes HEX)
	string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
	string(REGEX REPLACE "(................................................................................)" "\\1\n"
		bytes "${bytes}")
	string(APPEND arrays "static const unsigned char file_${number}[] = {\n${bytes}};\n")
	string(APPEND rows "\t{\"${name}\", \"${types_${extension}}\", file_${number}, sizeof(file_${number})},\n")
	math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT} "/* Made by embed.cmake. */\n#include \"services/console/console.h\"\n\n${arrays}
const struct page_file page_files[] = {\n${rows}\t{0},\n};\n")
