import { Button, Card, Group, Switch, Text, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconDownload, IconPlayerPause, IconPlayerPlay, IconSearch } from '@tabler/icons-react';
import { memo, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { errorOf, isApiError } from '@/api/problem';
import { useFormat } from '@/i18n/format';
import { useTenantSlug } from '@/tenants/queries';
import { InlineError } from '@/ui/errors';
import type { PanelProps } from './BotPage';
import { fileName } from './files';
import classes from './LogsPanel.module.css';
import { type Line, logText, parseLines, splitAt } from './logs';
import { useLogs } from './useLogs';

const mostDownloaded = 10_000;

/** What the bot writes, as it is written: followed, searched, paused, downloaded. */
export default function LogsPanel({ bot }: PanelProps) {
  const { t } = useTranslation('bots');
  const format = useFormat();
  const tenant = useTenantSlug();
  const { lines, state } = useLogs(tenant, bot.id);
  const [query, setQuery] = useState('');
  const [frozen, setFrozen] = useState<readonly Line[] | null>(null);
  const [follow, setFollow] = useState(true);
  const [downloading, setDownloading] = useState(false);
  const list = useRef<HTMLDivElement>(null);
  const base = frozen ?? lines;
  const shown = useMemo(() => {
    const sought = query.trim().toLowerCase();
    return sought ? base.filter((l) => l.text.toLowerCase().includes(sought)) : base;
  }, [base, query]);
  const lastShown = frozen?.at(-1)?.id ?? -1;
  const waiting = frozen ? lines.filter((l) => l.id > lastShown).length : 0;

  // biome-ignore lint/correctness/useExhaustiveDependencies: other lines scroll to the end
  useEffect(() => {
    if (follow && !frozen && list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [shown, follow, frozen]);

  const download = async () => {
    setDownloading(true);
    try {
      const path = `/api/v1/tenants/${encodeURIComponent(tenant)}/bots/${bot.id}/logs?tail=${mostDownloaded}`;
      const response = await fetch(path);
      const text = await response.text();
      if (!response.ok) throw errorOf(response, JSON.parse(text));
      const url = URL.createObjectURL(new Blob([logText(parseLines(text))], { type: 'text/plain' }));
      const link = document.createElement('a');
      link.href = url;
      link.download = `${fileName(bot.name)}-${new Date().toISOString().slice(0, 19)}.log`;
      link.click();
      URL.revokeObjectURL(url);
    } catch (error) {
      notifications.show({ color: 'red', autoClose: 8000, message: <InlineError error={error} /> });
    } finally {
      setDownloading(false);
    }
  };

  return (
    <Card padding={0} className={classes.card}>
      <div className={classes.tools}>
        <TextInput
          className={classes.search}
          aria-label={t('logs.search')}
          placeholder={t('logs.search')}
          leftSection={<IconSearch size={15} stroke={1.8} />}
          value={query}
          onChange={(e) => setQuery(e.currentTarget.value)}
        />
        <Group gap="sm">
          <Switch
            label={t('logs.follow')}
            checked={follow}
            onChange={(e) => setFollow(e.currentTarget.checked)}
            disabled={frozen !== null}
          />
          <Button
            variant="default"
            leftSection={frozen ? <IconPlayerPlay size={16} /> : <IconPlayerPause size={16} />}
            onClick={() => setFrozen(frozen ? null : lines)}
          >
            {frozen ? t('logs.resume', { count: waiting }) : t('logs.pause')}
          </Button>
          <Button
            variant="default"
            leftSection={<IconDownload size={16} />}
            loading={downloading}
            onClick={() => void download()}
          >
            {t('logs.download')}
          </Button>
        </Group>
      </div>
      <div
        ref={list}
        className={classes.lines}
        role="log"
        aria-live="off"
        aria-label={t('logs.label', { name: bot.name })}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by keyboard
        tabIndex={0}
        onWheel={(e) => e.deltaY < 0 && setFollow(false)}
        onScroll={(e) => {
          const el = e.currentTarget;
          if (el.scrollHeight - el.scrollTop - el.clientHeight < 8) setFollow(true);
        }}
      >
        {shown.map((line) => (
          <LogRow key={line.id} line={line} query={query.trim()} time={format.time(line.at)} />
        ))}
        {shown.length === 0 && (
          <p className={classes.empty}>
            {query && base.length > 0
              ? t('logs.nothing')
              : state.kind === 'live'
                ? t('logs.empty')
                : state.kind === 'connecting'
                  ? t('logs.connecting')
                  : ''}
          </p>
        )}
      </div>
      <div className={classes.foot} role="status">
        {state.kind === 'failed' ? (
          isApiError(state.error, 'unavailable') ? (
            <Text size="xs" c="var(--warn)">
              {t('logs.unavailable')}
            </Text>
          ) : (
            <InlineError error={state.error} />
          )
        ) : (
          <Text size="xs" c="dimmed">
            {t(`logs.${state.kind}`)} · {t('logs.count', { count: shown.length, n: format.number(shown.length) })}
          </Text>
        )}
      </div>
    </Card>
  );
}

const LogRow = memo(function LogRow({ line, query, time }: { line: Line; query: string; time: string }) {
  const { t } = useTranslation('bots');
  return (
    <div className={classes.line} data-stream={line.stream}>
      <time dateTime={line.at} title={line.at}>
        {time}
      </time>
      <span className={classes.text}>
        {line.stream === 'agent' && <em>{t('logs.platform')} </em>}
        {splitAt(line.text, query).map((part, i) =>
          // biome-ignore lint/suspicious/noArrayIndexKey: parts of a line that never changes
          i % 2 === 1 ? <mark key={i}>{part}</mark> : part,
        )}
      </span>
    </div>
  );
});
