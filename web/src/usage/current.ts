import { queryOptions } from '@tanstack/react-query';
import { client, must } from '@/api/client';
import type { UsagePoint } from '@/api/resources';
import { tenantKeys } from '@/tenants/queries';

const minute = 60_000;

export interface CurrentUse {
  /** Thousandths of a core. */
  cpuMillis: number;
  memoryMib: number;
  diskGib: number;
}

/** The averages of a point's reported minutes. */
export function averageOf(point: UsagePoint): CurrentUse {
  const seconds = Math.max(1, point.windows) * 60;
  return {
    cpuMillis: point.cpu_ms / seconds,
    memoryMib: point.memory_byte_seconds / seconds / 2 ** 20,
    diskGib: point.disk_byte_seconds / seconds / 2 ** 30,
  };
}

/** What every Worker used in its last reported minute, by Worker id. */
export const currentUseQuery = (tenant: string) =>
  queryOptions({
    queryKey: [...tenantKeys.all(tenant), 'usage', 'current'],
    queryFn: async ({ signal }): Promise<Map<string, CurrentUse>> => {
      const now = Math.floor(Date.now() / minute) * minute;
      const { items } = await must(
        client.GET('/tenants/{tenant}/usage', {
          params: {
            path: { tenant },
            query: { step: 'minute', from: new Date(now - 4 * minute).toISOString(), to: new Date(now).toISOString() },
          },
          signal,
        }),
      );
      // Points come in the order of time: the last of a Worker stays.
      return new Map(items.map((point) => [point.worker_id, averageOf(point)]));
    },
    refetchInterval: 30_000,
    structuralSharing: false,
  });
