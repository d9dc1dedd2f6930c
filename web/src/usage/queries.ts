import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { client, must } from '@/api/client';
import type { UsagePoint } from '@/api/resources';
import { tenantKeys } from '@/tenants/queries';

export const spans = ['hour', 'day', 'month'] as const;
export type Span = (typeof spans)[number];
export type Step = 'minute' | 'hour' | 'day';

const minute = 60_000;

/** The resolution and length of each span, in milliseconds. A day has minutes, so that a peak isn't averaged away. */
export const spanOf: Record<Span, { step: Step; stepMs: number; lengthMs: number; refreshMs: number }> = {
  hour: { step: 'minute', stepMs: minute, lengthMs: 60 * minute, refreshMs: 30_000 },
  day: { step: 'hour', stepMs: 60 * minute, lengthMs: 24 * 60 * minute, refreshMs: 5 * minute },
  month: { step: 'day', stepMs: 24 * 60 * minute, lengthMs: 30 * 24 * 60 * minute, refreshMs: 15 * minute },
};

export interface UsageRange {
  from: number;
  to: number;
}

/** The span that ends now, on full steps; the step that runs now is part of it. */
export function rangeOf(span: Span, now: number): UsageRange {
  const { stepMs, lengthMs } = spanOf[span];
  const to = Math.floor(now / stepMs) * stepMs + stepMs;
  return { from: to - lengthMs, to };
}

export interface UsageFilter {
  workers?: string[];
  bot?: string;
  byBot?: boolean;
}

const parameters = (filter: UsageFilter, span: Span, range: UsageRange) => ({
  worker: filter.workers,
  bot: filter.bot,
  by_bot: filter.byBot || undefined,
  step: spanOf[span].step,
  from: new Date(range.from).toISOString(),
  to: new Date(range.to).toISOString(),
});

export const usageQuery = (tenant: string, filter: UsageFilter, span: Span) =>
  queryOptions({
    queryKey: [...tenantKeys.all(tenant), 'usage', filter, span],
    queryFn: async ({ signal }): Promise<{ range: UsageRange; points: UsagePoint[] }> => {
      const range = rangeOf(span, Date.now());
      const { items } = await must(
        client.GET('/tenants/{tenant}/usage', {
          params: { path: { tenant }, query: parameters(filter, span, range) },
          signal,
        }),
      );
      return { range, points: items };
    },
    refetchInterval: spanOf[span].refreshMs,
    placeholderData: keepPreviousData,
  });

/** The address of the same usage as CSV. */
export function csvAddress(tenant: string, filter: UsageFilter, span: Span, now: number): string {
  const { worker, bot, by_bot, ...rest } = parameters(filter, span, rangeOf(span, now));
  const query = new URLSearchParams(rest);
  if (worker) query.set('worker', worker.join(','));
  if (bot) query.set('bot', bot);
  if (by_bot) query.set('by_bot', 'true');
  return `/api/v1/tenants/${encodeURIComponent(tenant)}/usage.csv?${query}`;
}
