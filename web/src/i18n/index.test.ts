import i18next, { type FlatNamespace } from 'i18next';
import { beforeAll, expect, test } from 'vitest';
import { languages, loadTexts, setLanguage, startTexts } from '.';

const catalogues = import.meta.glob('../*/{pt-BR,en}.json', { eager: true, import: 'default' });
const slices = [...new Set(Object.keys(catalogues).map((path) => path.split('/')[1] as FlatNamespace))];

beforeAll(() => startTexts('en'));

test('every slice has its texts once they are loaded, in both languages', async () => {
  expect(slices.length).toBeGreaterThan(10);
  await loadTexts(...slices);
  for (const language of languages) {
    await setLanguage(language);
    for (const slice of slices) {
      expect(i18next.getResourceBundle(language, slice)).toEqual(catalogues[`../${slice}/${language}.json`]);
    }
  }
});
