import { Tooltip } from '@mantine/core';
import { useSyncExternalStore } from 'react';
import { useFormat } from '@/i18n/format';

// One clock for every relative time on the page.
let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 15_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The present, to a quarter of a minute. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

/** "5 min ago", with the full time on hover. */
export function RelativeTime({ time }: { time: string }) {
  const format = useFormat();
  const present = useNow();
  // The clock ticks seldom: what happened since its last tick must not appear to lie in the future.
  return (
    <Tooltip label={format.dateTime(time)}>
      <time dateTime={time}>{format.relative(time, Math.max(present, Math.min(Date.parse(time), Date.now())))}</time>
    </Tooltip>
  );
}
