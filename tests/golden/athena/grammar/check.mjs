// Reads a JSON list of SQL texts, writes for each the errors that Trino's grammar finds in it.

import { readFileSync } from "node:fs";
import { register } from "node:module";
import { pathToFileURL } from "node:url";

// The package's modules name folders and leave ".js" out, which bundlers understand and Node does not.
const hooks = `
export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!["ERR_UNSUPPORTED_DIR_IMPORT", "ERR_MODULE_NOT_FOUND"].includes(error.code)) throw error;
    try {
      return await next(specifier + ".js", context);
    } catch {
      return next(specifier + "/index.js", context);
    }
  }
}
export async function load(url, context, next) {
  return next(url, url.includes("/dt-sql-parser/dist/") ? { ...context, format: "module" } : context);
}`;
register("data:text/javascript," + encodeURIComponent(hooks));

const [folder] = process.argv.slice(2);
const { TrinoSQL } = await import(
  pathToFileURL(`${folder}/node_modules/dt-sql-parser/dist/parser/trino/index.js`)
);
const parser = new TrinoSQL();
console.error = () => {}; // ANTLR's own words; what it found is in the answer
const found = JSON.parse(readFileSync(0, "utf8")).map((sql) =>
  parser.validate(sql).map(({ startLine, startColumn, message }) => `${startLine}:${startColumn}: ${message}`),
);
process.stdout.write(JSON.stringify(found));
