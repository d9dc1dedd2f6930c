// Writes src/api/schema.d.ts from ../api/openapi.json; with --check it only says whether the file is up to date.
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const source = new URL('../../api/openapi.json', import.meta.url);
const target = new URL('../src/api/schema.d.ts', import.meta.url);
const header = '// Generated from api/openapi.json by `npm run generate`. Do not edit.\n\n';
const text = header + astToString(await openapiTS(source, { alphabetize: true }));

if (!process.argv.includes('--check')) {
  await writeFile(target, text);
} else if ((await readFile(target, 'utf8').catch(() => '')) !== text) {
  console.error('src/api/schema.d.ts is not what api/openapi.json says; run `npm run generate` in web/');
  process.exit(1);
}
