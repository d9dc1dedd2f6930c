import { ScrollArea, Text, TextInput, UnstyledButton } from '@mantine/core';
import { IconChevronRight, IconSearch } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Bot } from '@/api/resources';
import { useBotsByWorker } from '@/bots/queries';
import { useFormat } from '@/i18n/format';
import { matcher } from '@/search/match';
import { ToneDot } from '@/status/StateBadge';
import { workerTone } from '@/status/tone';
import { Dialog } from '@/ui/Dialog';
import { useWorkers } from '@/workers/queries';
import classes from './MoveDialog.module.css';

interface Props {
  bot: Bot;
  onClose: () => void;
  onChoose: (workerId: string) => void;
}

const shown = 60;

/** Chooses the Worker that a bot moves to. */
export default function MoveDialog({ bot, onClose, onChoose }: Props) {
  const { t } = useTranslation(['moves', 'status']);
  const format = useFormat();
  const { data: workers } = useWorkers();
  const bots = useBotsByWorker();
  const [search, setSearch] = useState('');
  const targets = useMemo(() => {
    const matches = matcher(search);
    return (workers ?? [])
      .filter((w) => w.id !== bot.worker_id && w.desired !== 'deleted' && matches(w.name))
      .sort((a, b) => format.compare(a.name, b.name));
  }, [workers, search, bot.worker_id, format]);

  return (
    <Dialog onClose={onClose} title={t('dialog.title', { bot: bot.name })}>
      <Text size="sm" c="dimmed" mb="md">
        {t('dialog.text')}
      </Text>
      <TextInput
        data-autofocus
        aria-label={t('dialog.search')}
        placeholder={t('dialog.search')}
        leftSection={<IconSearch size={15} />}
        value={search}
        onChange={(e) => setSearch(e.currentTarget.value)}
        mb="xs"
      />
      <ScrollArea.Autosize mah={360} type="auto">
        <ul className={classes.list}>
          {targets.slice(0, shown).map((w) => (
            <li key={w.id}>
              <UnstyledButton
                className={classes.target}
                onClick={() => {
                  onChoose(w.id);
                  onClose();
                }}
              >
                <ToneDot tone={workerTone[w.status.state]} />
                <span className={classes.words}>
                  <span className={classes.name}>{w.name}</span>
                  <span className={classes.about}>
                    {t(`status:worker.${w.status.state}`)} · {t('dialog.bots', { count: bots.get(w.id)?.length ?? 0 })}{' '}
                    · {format.size(w.size)}
                  </span>
                </span>
                <IconChevronRight size={16} aria-hidden />
              </UnstyledButton>
            </li>
          ))}
        </ul>
      </ScrollArea.Autosize>
      {targets.length === 0 && (
        <Text size="sm" c="dimmed" py="md" ta="center">
          {search ? t('dialog.nothing') : t('dialog.only')}
        </Text>
      )}
    </Dialog>
  );
}
