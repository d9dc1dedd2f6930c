import { Skeleton } from '@mantine/core';
import { useElementSize, useMediaQuery } from '@mantine/hooks';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type MouseEvent, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Bot, Worker } from '@/api/resources';
import { useMoving } from '@/moves/MovesProvider';
import { useTenantSlug } from '@/tenants/queries';
import { persistent } from '@/ui/persistent';
import { currentUseQuery } from '@/usage/current';
import classes from './Board.module.css';
import { BotMenu, type BotMenuAnchor } from './BotMenu';
import { useWorkerScope } from './scope';
import { type HrefOf, WorkerBox } from './WorkerBox';

const boxWidth = 296;
const gap = 16;
const frameHeight = 118; // of a box without its bots
const botHeight = 38;
const fewestRows = 3;
const mostRows = 6;
const noBots: Bot[] = [];

/** What dragging needs, once it is loaded. Where it can't be, bots still move by menu and keyboard. */
const draggingQuery = queryOptions({
  queryKey: ['dragging'],
  queryFn: () => persistent(() => import('./dragging')),
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: Number.POSITIVE_INFINITY,
});

interface Props {
  workers: Worker[];
  bots: ReadonlyMap<string, Bot[]>;
  canMove: boolean;
}

/**
 * Every Worker as a box with its bots inside. Only the rows that are in sight are in the page, and all boxes are of
 * one height (that of the fullest, up to a limit), so that a thousand of them scroll as ten do.
 */
export function Board({ workers, bots, canMove }: Props) {
  const { t } = useTranslation('workers');
  const tenant = useTenantSlug();
  const { ref, width } = useElementSize();
  const touch = useMediaQuery('(hover: none)', undefined, { getInitialValueInEffect: false });
  const { move, choose } = useMoving();
  const { data: use } = useQuery(currentUseQuery(tenant));
  const [menu, setMenu] = useState<BotMenuAnchor | null>(null);
  const columns = Math.max(1, Math.floor((width + gap) / (boxWidth + gap)));
  const rows = width === 0 ? 0 : Math.ceil(workers.length / columns);

  const fullest = useMemo(
    () => workers.reduce((most, w) => Math.max(most, bots.get(w.id)?.length ?? 0), 0),
    [workers, bots],
  );
  const boxHeight = frameHeight + botHeight * Math.min(mostRows, Math.max(fewestRows, fullest));

  const top = useRef<HTMLDivElement>(null);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => {
    if (top.current) setOffset(top.current.getBoundingClientRect().top + window.scrollY);
  }, []);
  const virtualizer = useWindowVirtualizer({
    count: rows,
    estimateSize: () => boxHeight + gap,
    overscan: 2,
    scrollMargin: offset,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows of another height are measured anew
  useLayoutEffect(() => virtualizer.measure(), [boxHeight]);

  const { data: dragging } = useQuery({ ...draggingQuery, enabled: canMove });
  useEffect(() => dragging?.autoScrollWindowForElements(), [dragging]);

  const router = useRouter();
  const scope = useWorkerScope();
  const hrefOf = useCallback<HrefOf>(
    (kind, id) => `/t/${encodeURIComponent(tenant)}/${kind}/${id}${scope ? `?worker=${scope}` : ''}`,
    [tenant, scope],
  );
  const follow = (e: MouseEvent) => {
    const href = (e.target as Element).closest('a')?.getAttribute('href');
    if (!href || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    e.preventDefault();
    router.history.push(href);
  };

  const onMenu = useCallback((bot: Bot, element: HTMLElement) => setMenu({ bot, element }), []);

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the links in it are what is clicked
    // biome-ignore lint/a11y/useKeyWithClickEvents: Enter on a link is a click
    <div ref={top} onClick={follow}>
      {canMove && workers.length > 1 && <p className={classes.hint}>{t(touch ? 'board.hintTouch' : 'board.hint')}</p>}
      <div ref={ref} className={classes.area} style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((row) => (
          <div
            key={row.key}
            className={classes.row}
            style={{
              transform: `translateY(${row.start - virtualizer.options.scrollMargin}px)`,
              gridTemplateRows: '100%',
              gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
              height: boxHeight,
              gap,
            }}
          >
            {workers.slice(row.index * columns, (row.index + 1) * columns).map((worker) => (
              <WorkerBox
                key={worker.id}
                hrefOf={hrefOf}
                worker={worker}
                bots={bots.get(worker.id) ?? noBots}
                use={use?.get(worker.id)}
                canMove={canMove}
                dragging={dragging}
                onDropBot={move}
                onChoose={choose}
                onMenu={onMenu}
              />
            ))}
          </div>
        ))}
      </div>
      {menu && (
        <BotMenu anchor={menu} tenant={tenant} canMove={canMove} onMove={choose} onClose={() => setMenu(null)} />
      )}
    </div>
  );
}

export function BoardSkeleton() {
  const { t } = useTranslation('ui');
  return (
    <div className={classes.skeletons} role="status" aria-label={t('loading')}>
      {Array.from({ length: 6 }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
        <Skeleton key={i} h={frameHeight + botHeight * fewestRows} radius="lg" />
      ))}
    </div>
  );
}
