import { describe, expect, it } from 'vitest';
import { csvOf, rangeOfDays } from './csv';

describe('csvOf', () => {
  it('quotes what needs it', () => expect(csvOf([['a', 'b "c", d', 'e\nf']])).toBe('a,"b ""c"", d","e\nf"\r\n'));
  it('lets nothing be a formula', () => expect(csvOf([['=1+1', '@x', '-5']])).toBe("'=1+1,'@x,'-5\r\n"));
});

describe('rangeOfDays', () => {
  it('has the whole of both days', () => {
    const { from, to } = rangeOfDays('2026-01-30', '2026-01-31');
    expect(Date.parse(to ?? '') - Date.parse(from ?? '')).toBe(2 * 24 * 3600_000);
  });
  it('is open where no day is given', () => expect(rangeOfDays(undefined, undefined)).toEqual({}));
});
