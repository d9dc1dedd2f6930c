import { byNamespace } from './namespace';

/** The texts of every slice but those that come with their pages (see index.ts, which names the same). */
export const catalogue = byNamespace(
  import.meta.glob<Record<string, unknown>>(
    ['../*/pt-BR.json', '!../{bots,operator,overview,secrets,session,team}/*.json'],
    {
      eager: true,
      import: 'default',
    },
  ),
);
