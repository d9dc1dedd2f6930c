import { Skeleton } from '@mantine/core';
import { IconAlertTriangle, IconCircleX, IconPoint } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { memo, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Event } from '@/api/resources';
import { useBots } from '@/bots/queries';
import { useTenantSlug } from '@/tenants/queries';
import { RelativeTime } from '@/ui/RelativeTime';
import { useWorkers } from '@/workers/queries';
import classes from './EventList.module.css';
import { doerOf, useEventText } from './text';

const icons = { info: IconPoint, warning: IconAlertTriangle, error: IconCircleX } as const;

interface Props {
  events: Event[];
  hideWorker?: boolean;
  /** Names of people by id: says who did what. */
  people?: ReadonlyMap<string, string>;
}

/** Events as lines: how serious, what happened, where, when. */
export const EventList = memo(function EventList({ events, hideWorker, people }: Props) {
  const { t } = useTranslation(['status', 'events']);
  const { t: ofEvents } = useTranslation('events');
  const say = useEventText();
  const tenant = useTenantSlug();
  const { data: workers } = useWorkers();
  const { data: bots } = useBots();
  const workerNames = useMemo(() => new Map((workers ?? []).map((w) => [w.id, w.name])), [workers]);
  const botNames = useMemo(() => new Map((bots ?? []).map((b) => [b.id, b.name])), [bots]);

  return (
    <ol className={classes.list}>
      {events.map((event) => {
        const Icon = icons[event.level];
        const { subject, text } = say(event);
        const doer = people && doerOf(ofEvents, event, people);
        const worker = event.worker_id ? workerNames.get(event.worker_id) : undefined;
        const bot = event.bot_id ? botNames.get(event.bot_id) : undefined;
        const name = bot ?? (hideWorker ? undefined : worker);
        const link =
          bot && event.bot_id ? (
            <Link to="/t/$tenant/bots/$botId" params={{ tenant, botId: event.bot_id }} className={classes.link}>
              {bot}
            </Link>
          ) : name && event.worker_id ? (
            <Link
              to="/t/$tenant/workers/$workerId"
              params={{ tenant, workerId: event.worker_id }}
              className={classes.link}
            >
              {name}
            </Link>
          ) : undefined;
        // Where the text names what it is about, the name itself leads there.
        const at = name ? text.indexOf(name) : -1;
        return (
          <li key={event.id} className={classes.event} data-level={event.level}>
            <span className={classes.icon}>
              <Icon
                size={event.level === 'info' ? 18 : 16}
                stroke={1.9}
                role={event.level === 'info' ? 'presentation' : 'img'}
                aria-label={event.level === 'info' ? undefined : t(`level.${event.level}`)}
              />
            </span>
            <div className={classes.body}>
              <span className={classes.text}>
                {at >= 0 && name ? (
                  <>
                    {text.slice(0, at)}
                    {link}
                    {text.slice(at + name.length)}
                  </>
                ) : (
                  <>
                    {link ? <>{link}: </> : subject && <strong>{subject}: </strong>}
                    {text}
                  </>
                )}
              </span>
              <span className={classes.when}>
                {bot && worker && !hideWorker && <>{worker} · </>}
                <RelativeTime time={event.at} />
                {doer && <> {t('events:page.by', { name: doer })}</>}
              </span>
            </div>
          </li>
        );
      })}
    </ol>
  );
});

export function EventListSkeleton({ lines = 6 }: { lines?: number }) {
  const { t } = useTranslation('ui');
  return (
    <div role="status" aria-label={t('loading')} style={{ display: 'grid', gap: 18 }}>
      {Array.from({ length: lines }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
        <div key={i} style={{ display: 'grid', gap: 6 }}>
          <Skeleton h={12} w={`${70 - ((i * 13) % 30)}%`} />
          <Skeleton h={10} w={90} />
        </div>
      ))}
    </div>
  );
}
