import i18next, { type BackendModule, type FlatNamespace } from 'i18next';
import { initReactI18next } from 'react-i18next';
import { persistent } from '@/ui/persistent';

export const languages = ['pt-BR', 'en'] as const;
export type Language = (typeof languages)[number];

type Texts = Record<string, unknown>;

// What the frame and several pages say is one chunk for each language. Slices that speak on their own pages only have a
// chunk of their own, which comes with those pages.
const shared: Record<Language, () => Promise<{ catalogue: Record<string, Texts> }>> = {
  'pt-BR': () => import('./pt-BR'),
  en: () => import('./en'),
};
const own = import.meta.glob<Texts>('../{bots,operator,overview,secrets,session,team}/{pt-BR,en}.json', {
  import: 'default',
});

/** A slice's texts: its folder is its namespace. */
async function texts(language: Language, namespace: string): Promise<Texts> {
  const load = own[`../${namespace}/${language}.json`];
  if (load) return persistent(load);
  const { catalogue } = await persistent(shared[language]);
  return catalogue[namespace] ?? {};
}

/** Brings texts, before i18next asks for them: it would go on without those that don't arrive. */
const fetched = (language: Language, namespaces: readonly string[]) =>
  Promise.all(namespaces.map((namespace) => texts(language, namespace)));

/** Loads what a page says beyond the shared texts. What isn't loaded when a component asks for it, it waits for. */
export async function loadTexts(...namespaces: FlatNamespace[]): Promise<void> {
  await fetched(currentLanguage(), namespaces);
  await i18next.loadNamespaces(namespaces);
}

const storageKey = 'baas-language';

/** The language that was chosen before, otherwise the browser's: Portuguese for any Portuguese, English for the rest. */
export function preferredLanguage(): Language {
  const stored = localStorage.getItem(storageKey);
  if (stored === 'pt-BR' || stored === 'en') return stored;
  return /^pt/i.test(navigator.language) ? 'pt-BR' : 'en';
}

/** Loads the language, for all that was loaded so far, and switches to it. */
export async function setLanguage(language: Language, remember = true): Promise<void> {
  await fetched(language, (i18next.options.ns ?? []) as readonly string[]);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
  if (remember) localStorage.setItem(storageKey, language);
}

/** Starts the texts in the preferred language. Nothing is drawn before it is done. */
export async function startTexts(language: Language = preferredLanguage()): Promise<void> {
  const { catalogue } = await persistent(shared[language]);
  await i18next
    .use(initReactI18next)
    .use<BackendModule>({
      type: 'backend',
      init: () => {},
      read: (wanted, namespace, done) =>
        texts(wanted as Language, namespace).then(
          (found) => done(null, found),
          (error) => done(error, false),
        ),
    })
    .init({
      lng: language,
      load: 'currentOnly',
      ns: Object.keys(catalogue),
      fallbackLng: false,
      defaultNS: 'app',
      contextSeparator: '~', // states have underscores in their names
      interpolation: { escapeValue: false },
      returnNull: false,
    });
  document.documentElement.lang = language;
}

/** The language in use. */
export function currentLanguage(): Language {
  return i18next.language === 'en' ? 'en' : 'pt-BR';
}
