import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { memo, useLayoutEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Bot, Worker } from '@/api/resources';
import { useFormat } from '@/i18n/format';
import { useReason } from '@/status/reason';
import { WorkerStateBadge } from '@/status/StateBadge';
import { useTenantSlug } from '@/tenants/queries';
import { RelativeTime } from '@/ui/RelativeTime';
import type { Sort, SortKey } from './filter';
import classes from './WorkerTable.module.css';

const rowHeight = 57;
const columns: SortKey[] = ['name', 'state', 'bots', 'cpu', 'memory', 'disk', 'since'];

interface Props {
  workers: Worker[];
  bots: ReadonlyMap<string, Bot[]>;
  sort: Sort;
  onSort: (sort: Sort) => void;
}

/** Workers as a table that can be sorted. Rows out of sight are left out. */
export default function WorkerTable({ workers, bots, sort, onSort }: Props) {
  const { t } = useTranslation('workers');
  const tenant = useTenantSlug();
  const ref = useRef<HTMLDivElement>(null);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => {
    if (ref.current) setOffset(ref.current.getBoundingClientRect().top + window.scrollY);
  }, []);
  const virtualizer = useWindowVirtualizer({
    count: workers.length,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollMargin: offset,
  });
  const rows = virtualizer.getVirtualItems();
  const before = (rows[0]?.start ?? offset) - offset;
  const after = virtualizer.getTotalSize() - ((rows.at(-1)?.end ?? offset) - offset);

  return (
    <div ref={ref} className={classes.frame}>
      <table className={classes.table} aria-rowcount={workers.length + 1}>
        <thead>
          <tr>
            {columns.map((key) => {
              const active = sort.key === key;
              return (
                <th
                  key={key}
                  scope="col"
                  data-column={key}
                  aria-sort={active ? (sort.descending ? 'descending' : 'ascending') : 'none'}
                >
                  <button
                    type="button"
                    className={classes.sort}
                    data-active={active || undefined}
                    onClick={() => onSort({ key, descending: active ? !sort.descending : false })}
                  >
                    {t(`column.${key}`)}
                    {active &&
                      (sort.descending ? (
                        <IconArrowDown size={14} aria-hidden />
                      ) : (
                        <IconArrowUp size={14} aria-hidden />
                      ))}
                  </button>
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {before > 0 && (
            <tr aria-hidden>
              <td colSpan={columns.length} style={{ height: before, padding: 0 }} />
            </tr>
          )}
          {rows.map((row) => {
            const worker = workers[row.index];
            return (
              worker && (
                <Row
                  key={worker.id}
                  index={row.index}
                  tenant={tenant}
                  worker={worker}
                  bots={bots.get(worker.id)?.length ?? 0}
                />
              )
            );
          })}
          {after > 0 && (
            <tr aria-hidden>
              <td colSpan={columns.length} style={{ height: after, padding: 0 }} />
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

const Row = memo(function Row({
  index,
  tenant,
  worker,
  bots,
}: {
  index: number;
  tenant: string;
  worker: Worker;
  bots: number;
}) {
  const format = useFormat();
  const say = useReason();
  const { size, status } = worker;
  return (
    <tr aria-rowindex={index + 2} style={{ height: rowHeight }}>
      <td data-column="name">
        <Link
          to="/t/$tenant/workers/$workerId"
          params={{ tenant, workerId: worker.id }}
          className={classes.name}
          preload={false}
        >
          {worker.name}
        </Link>
      </td>
      <td data-column="state">
        <div className={classes.state}>
          <WorkerStateBadge state={status.state} />
          {status.state !== 'running' && <span className={classes.reason}>{say(status.reason)}</span>}
        </div>
      </td>
      <td data-column="bots" className="numeric">
        {format.number(bots)}
      </td>
      <td data-column="cpu" className="numeric">
        {format.cpu(size.cpu_millis)}
      </td>
      <td data-column="memory" className="numeric">
        {format.memory(size.memory_mib)}
      </td>
      <td data-column="disk" className="numeric">
        {format.disk(size.disk_gib)}
      </td>
      <td data-column="since" className={classes.since}>
        <RelativeTime time={status.since} />
      </td>
    </tr>
  );
});
