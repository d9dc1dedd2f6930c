import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { persistent } from '@/ui/persistent';

export const languages = ['pt-BR', 'en'] as const;
export type Language = (typeof languages)[number];

type Catalogue = Record<string, Record<string, unknown>>;

// Each language is one chunk, loaded when it is first used.
const load: Record<Language, () => Promise<{ catalogue: Catalogue }>> = {
  'pt-BR': () => import('./pt-BR'),
  en: () => import('./en'),
};

const storageKey = 'baas-language';

/** The language that was chosen before, otherwise the browser's: Portuguese for any Portuguese, English for the rest. */
export function preferredLanguage(): Language {
  const stored = localStorage.getItem(storageKey);
  if (stored === 'pt-BR' || stored === 'en') return stored;
  return /^pt/i.test(navigator.language) ? 'pt-BR' : 'en';
}

/** Loads the language and switches to it. */
export async function setLanguage(language: Language, remember = true): Promise<void> {
  const { catalogue } = await persistent(load[language]);
  for (const [namespace, texts] of Object.entries(catalogue)) {
    i18next.addResourceBundle(language, namespace, texts);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
  if (remember) localStorage.setItem(storageKey, language);
}

/** Starts the texts in the preferred language. Nothing is drawn before it is done. */
export async function startTexts(language: Language = preferredLanguage()): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: language,
    resources: {},
    fallbackLng: false,
    defaultNS: 'app',
    contextSeparator: '~', // states have underscores in their names
    interpolation: { escapeValue: false },
    returnNull: false,
    react: { useSuspense: false },
  });
  await setLanguage(language, false);
}

/** The language in use. */
export function currentLanguage(): Language {
  return i18next.language === 'en' ? 'en' : 'pt-BR';
}
