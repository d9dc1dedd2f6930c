import { expect, it } from 'vitest';
import { slugOf } from './slug';

it.each([
  ['Operações Ltda.', 'operacoes-ltda'],
  ['  Cliente  A ', 'cliente-a'],
  ['***', ''],
])('%s becomes %s', (name, slug) => expect(slugOf(name)).toBe(slug));
