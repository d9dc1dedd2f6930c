import { QueryClient } from '@tanstack/react-query';
import { isApiError } from '@/api/problem';

/** The cache of what was read. The stream of changes says what is out of date, so nothing gets stale by time alone. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 60_000,
        gcTime: 10 * 60_000,
        refetchOnWindowFocus: false,
        retry: (failures, error) =>
          failures < 3 && isApiError(error, 'network', 'unavailable', 'rate_limited', 'internal'),
      },
      mutations: { retry: false, networkMode: 'always' },
    },
  });
}
