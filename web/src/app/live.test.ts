import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { expect, it, vi } from 'vitest';
import { tenantKeys } from '@/tenants/queries';
import { readAgain } from './live';

/** A read whose answers come when the test says so. */
function read(cache: QueryClient, tenant: string) {
  const answers: ((value: string) => void)[] = [];
  const observer = new QueryObserver(cache, {
    queryKey: [...tenantKeys.all(tenant), 'thing'],
    queryFn: () => new Promise<string>((resolve) => answers.push(resolve)),
  });
  const stop = observer.subscribe(() => {});
  return { answers, observer, stop };
}

it('reads again what was on its way when changes may have been missed', async () => {
  const cache = new QueryClient();
  const { answers, observer, stop } = read(cache, 'acme');
  for (const [i, value] of ['first', 'second', 'third'].entries()) {
    await vi.waitFor(() => expect(answers).toHaveLength(2 * i + 1));
    readAgain(cache, 'acme');
    answers[2 * i]?.('from before the change');
    await vi.waitFor(() => expect(answers).toHaveLength(2 * i + 2));
    answers[2 * i + 1]?.(value);
    await vi.waitFor(() => expect(observer.getCurrentResult().data).toBe(value));
    void observer.refetch();
  }
  stop();
});

it("leaves other tenants' alone", async () => {
  const cache = new QueryClient();
  const { answers, stop } = read(cache, 'acme');
  answers[0]?.('acme');
  readAgain(cache, 'other');
  await vi.waitFor(() => expect(cache.isFetching()).toBe(0));
  expect(answers).toHaveLength(1);
  stop();
});
