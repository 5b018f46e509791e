// embed.mjs FOLDER FILE: writes FILE, a C++ source with all files of FOLDER (src/page/files.h), as they are and by gzip.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";

const [folder, output] = process.argv.slice(2);
const types = {
    html: "text/html; charset=utf-8",
    js: "text/javascript; charset=utf-8",
    css: "text/css; charset=utf-8",
    svg: "image/svg+xml",
    wasm: "application/wasm",
};

const root = resolve(folder);
const paths = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".gz"))
    .map((entry) => `${entry.parentPath ?? entry.path}/${entry.name}`.slice(root.length))
    .sort();
let arrays = "";
let table = "";
paths.forEach((path, i) => {
    const bytes = readFileSync(root + path);
    writeFileSync(`${root}${path}.gz`, gzipSync(bytes, { level: 9 }));
    const type = types[path.split(".").pop()];
    if (!type) throw new Error(`${path}: of what type is it?`);
    const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 32);
    // The hash in the name makes it another source for a compiler cache when the bytes are others.
    arrays += `constexpr unsigned char file_${i}_${hash}[] = {\n#embed "${root}${path}"\n};\n`;
    arrays += `constexpr unsigned char packed_${i}_${hash}[] = {\n#embed "${root}${path}.gz"\n};\n`;
    table += `    File{"${path}", "${type}", "${hash}", text(file_${i}_${hash}), text(packed_${i}_${hash})},\n`;
});
writeFileSync(
    output,
    `// Made by web/embed.mjs.
#include "page/files.h"

namespace boatswain::page {
namespace {

${arrays}
template <std::size_t size>
std::string_view text(const unsigned char (&bytes)[size]) {
    return {reinterpret_cast<const char*>(bytes), size};
}

const File all[] = {
${table}};

}  // namespace

std::span<const File> files() { return all; }

}  // namespace boatswain::page
`,
);
