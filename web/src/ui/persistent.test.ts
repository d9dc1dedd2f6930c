import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { persistent } from './persistent';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('tries again until it arrives', async () => {
  const load = vi
    .fn()
    .mockRejectedValueOnce(new Error('1'))
    .mockRejectedValueOnce(new Error('2'))
    .mockResolvedValue('here');
  const loading = persistent(load);
  await vi.runAllTimersAsync();
  expect(await loading).toBe('here');
  expect(load).toHaveBeenCalledTimes(3);
});

it('gives up after so many attempts, with the last error', async () => {
  let n = 0;
  const loading = persistent(() => Promise.reject(new Error(`attempt ${++n}`)), 3);
  const failed = expect(loading).rejects.toThrow('attempt 3');
  await vi.runAllTimersAsync();
  await failed;
});
