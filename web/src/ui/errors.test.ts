import { describe, expect, it } from 'vitest';
import { ApiError } from '@/api/problem';
import { failureOf } from './errors';

const error = (code: string) => new ApiError({ status: 500, code, message: '' });

describe('failureOf', () => {
  it('is none while all is read', () => {
    expect(failureOf({ data: [], error: null }, { data: null, error: null })).toBeUndefined();
  });
  it('is what kept a first read from coming', () => {
    const network = error('network');
    expect(failureOf({ data: [], error: null }, { data: undefined, error: network })).toBe(network);
  });
  it('leaves what was read before in place when it cannot be read again', () => {
    for (const code of ['network', 'unauthenticated', 'unavailable', 'internal']) {
      expect(failureOf({ data: [1], error: error(code) })).toBeUndefined();
    }
  });
  it('takes away what the person may no longer see', () => {
    for (const code of ['forbidden', 'not_found']) {
      const refusal = error(code);
      expect(failureOf({ data: [1], error: refusal })).toBe(refusal);
    }
  });
});
