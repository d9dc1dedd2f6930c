import { byNamespace } from './namespace';

/** Every slice's texts: a slice's folder is its namespace. */
export const catalogue = byNamespace(
  import.meta.glob<Record<string, unknown>>('../*/en.json', { eager: true, import: 'default' }),
);
