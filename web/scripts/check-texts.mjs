// Checks the catalogues: every slice has both languages with the same keys, plural forms as each language has them,
// the same values to fill in, and no text that is empty or that nothing uses.
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('../src', import.meta.url));
const languages = ['pt-BR', 'en'];
const plural = /_(zero|one|two|few|many|other)$/;
const problems = [];

const flatten = (value, prefix = '') =>
  Object.entries(value).flatMap(([key, v]) =>
    typeof v === 'string' ? [[prefix + key, v]] : flatten(v, `${prefix}${key}.`),
  );
const fills = (text) =>
  [...text.matchAll(/{{\s*(\w+)\s*}}|<(\w+)>/g)]
    .map((m) => m[1] ?? `<${m[2]}>`)
    .sort()
    .join();

const entries = await readdir(src, { recursive: true, withFileTypes: true });
const sources = await Promise.all(
  entries
    .filter((e) => e.isFile() && /\.tsx?$/.test(e.name) && !e.name.includes('.test.'))
    .map((e) => readFile(`${e.parentPath}/${e.name}`, 'utf8')),
);
const code = sources.join('\n');
// What a template such as `state.${s}` can stand for: anything that begins and ends like it.
const templates = [...code.matchAll(/`([\w:.-]*\$\{[^`]*)`/g)].map((m) => {
  const parts = m[1].split(/\$\{(?:[^{}]|\{[^{}]*\})*\}/);
  return new RegExp(
    `^(?:[\\w-]+:)?${parts.map((p) => p.replace(/^[\w-]+:/, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')}$`,
  );
});
const used = (slice, key) =>
  [`'${key}'`, `"${key}"`, `'${slice}:${key}'`, `"${slice}:${key}"`, `\`${key}\``].some((k) => code.includes(k)) ||
  templates.some((t) => t.test(key));

for (const folder of entries.filter((e) => e.isDirectory() && e.parentPath === src).map((e) => e.name)) {
  const read = async (language) => {
    const text = await readFile(`${src}/${folder}/${language}.json`, 'utf8').catch(() => null);
    return text === null ? null : new Map(flatten(JSON.parse(text)));
  };
  const [first, second] = await Promise.all(languages.map(read));
  if (!first && !second) continue;
  if (!first || !second) {
    problems.push(`${folder}: there is no ${first ? languages[1] : languages[0]}.json`);
    continue;
  }
  const stem = (key) => key.replace(plural, '');
  const catalogues = { 'pt-BR': first, en: second };
  for (const [language, catalogue] of Object.entries(catalogues)) {
    const other = language === 'en' ? first : second;
    const otherStems = new Set([...other.keys()].map(stem));
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const [key, text] of catalogue) {
      const where = `${folder}/${language}.json: ${key}`;
      if (text.trim() === '') problems.push(`${where} is empty`);
      if (!other.has(key) && !otherStems.has(stem(key))) problems.push(`${where} is missing in the other language`);
      const same = other.get(key);
      if (same !== undefined && fills(same) !== fills(text))
        problems.push(`${where} fills in ${fills(text) || 'nothing'}, the other language ${fills(same) || 'nothing'}`);
      if (plural.test(key)) {
        for (const form of forms) {
          if (!catalogue.has(`${stem(key)}_${form}`)) problems.push(`${where}: the form _${form} is missing`);
        }
      }
      if (!used(folder, stem(key)) && !used(folder, key)) problems.push(`${where} is not used`);
    }
  }
}

if (problems.length > 0) {
  console.error([...new Set(problems)].join('\n'));
  process.exit(1);
}
