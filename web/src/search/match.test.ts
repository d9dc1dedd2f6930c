import { expect, it } from 'vitest';
import { matcher } from './match';

it('matches every word in any order, without regard to case and accents', () => {
  expect(matcher('acao')('Ação')).toBe(true);
  expect(matcher('pagar contas')('Contas a Pagar')).toBe(true);
  expect(matcher('contas receber')('Contas a Pagar')).toBe(false);
  expect(matcher('   ')('anything')).toBe(true);
});
