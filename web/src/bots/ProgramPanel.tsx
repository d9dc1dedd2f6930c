import { Anchor, Button, Group, Progress, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Bot } from '@/api/resources';
import { useFormat } from '@/i18n/format';
import { usePermissions, useTenantSlug } from '@/tenants/queries';
import { ConflictDialog } from '@/ui/ConflictDialog';
import { InlineError } from '@/ui/errors';
import { RelativeTime } from '@/ui/RelativeTime';
import type { PanelProps } from './BotPage';
import { FilePicker } from './FilePicker';
import { fileName } from './files';
import { Section } from './PersonaFields';
import bar from './PersonaPanel.module.css';
import { ProgramFields, validateProgram } from './ProgramFields';
import { type ProgramValues, programOf, programValuesOf } from './program';
import { useSendFiles } from './queries';
import { useBotForm } from './useBotForm';

const valuesOf = (bot: Bot): ProgramValues => programValuesOf(bot.program);

/** How the program is run, and its files. */
export default function ProgramPanel({ bot }: PanelProps) {
  const { t } = useTranslation(['bots', 'ui', 'workers']);
  const format = useFormat();
  const may = usePermissions();
  const { form, dirty, saving, error, submit, conflict } = useBotForm<ProgramValues>({
    bot,
    valuesOf,
    changeOf: (values, over) => ({ program: programOf(values, over.program) }),
    validate: validateProgram(t),
    prefix: 'program.',
  });
  return (
    <Stack gap="md" maw={860}>
      <Files bot={bot} disabled={!may.changeBots} />
      <form noValidate onSubmit={submit}>
        <ProgramFields form={form} worker={bot.worker_id} disabled={!may.changeBots} />
        {may.changeBots && (
          <div className={bar.bar} data-dirty={dirty || undefined}>
            {error ? (
              <div className={bar.barText}>
                <InlineError error={error} />
              </div>
            ) : (
              <Text size="sm" c="dimmed" className={bar.barText}>
                {dirty ? t('program.restartsOnSave') : t('persona.allSaved')}
              </Text>
            )}
            <Button variant="default" disabled={!dirty} onClick={() => form.reset()}>
              {t('workers:settings.discard')}
            </Button>
            <Button type="submit" disabled={!dirty} loading={saving}>
              {t('ui:save')}
            </Button>
          </div>
        )}
      </form>
      {conflict && (
        <ConflictDialog
          busy={saving}
          differences={differences(valuesOf(conflict.theirs), form.getValues())}
          onTheirs={conflict.keepTheirs}
          onMine={conflict.keepMine}
          onClose={conflict.close}
        />
      )}
    </Stack>
  );

  function differences(theirs: ProgramValues, mine: ProgramValues) {
    const env = (v: ProgramValues) =>
      v.env.map((e) => `${e.name}=${e.kind === 'secret' ? `<${e.secret}>` : e.value}`).join('\n') || '–';
    const health = (v: ProgramValues) =>
      `${t(`program.healths.${v.health}`)} ${v.health === 'http' ? v.health_path : v.health === 'command' ? v.health_command : ''}`.trim();
    return [
      { label: t('program.commandLabel'), theirs: theirs.command, mine: mine.command },
      { label: t('program.env'), theirs: env(theirs), mine: env(mine) },
      { label: t('program.port'), theirs: String(theirs.port || '–'), mine: String(mine.port || '–') },
      { label: t('program.health'), theirs: health(theirs), mine: health(mine) },
      { label: t('program.interval'), theirs: format.number(theirs.interval), mine: format.number(mine.interval) },
      {
        label: t('program.restartAfter'),
        theirs: format.number(theirs.restart_after),
        mine: format.number(mine.restart_after),
      },
      {
        label: t('program.restart'),
        theirs: t(`program.restarts.${theirs.restart}`),
        mine: t(`program.restarts.${mine.restart}`),
      },
      { label: t('program.stop'), theirs: format.number(theirs.stop_seconds), mine: format.number(mine.stop_seconds) },
    ].filter((d) => d.theirs !== d.mine);
  }
}

/** The files that run now, and the way to replace them. */
function Files({ bot, disabled }: { bot: Bot; disabled: boolean }) {
  const { t } = useTranslation('bots');
  const format = useFormat();
  const [file, setFile] = useState<File | null>(null);
  const [share, setShare] = useState(0);
  const send = useSendFiles();
  const tenant = useTenantSlug();
  const may = usePermissions();
  return (
    <Section title={t('files.title')} text={t('files.text')}>
      <Stack gap="sm">
        {bot.files && (
          <Text size="sm">
            {t('files.now', { size: format.bytes(bot.files.size), format: bot.files.format })}{' '}
            <RelativeTime time={bot.files.uploaded_at} />
            {may.takeFiles && (
              <>
                {' · '}
                <Anchor
                  size="sm"
                  underline="always"
                  href={`/api/v1/tenants/${encodeURIComponent(tenant)}/bots/${bot.id}/files`}
                  download={`${fileName(bot.name)}.${bot.files.format}`}
                >
                  {t('files.download')}
                </Anchor>
              </>
            )}
          </Text>
        )}
        {!disabled && (
          <>
            <FilePicker file={file} onChange={setFile} />
            {send.isPending && <Progress value={share * 100} size="sm" animated aria-label={t('files.sending')} />}
            {send.error && <InlineError error={send.error} />}
            {file && (
              <Group justify="flex-end" gap="sm">
                <Text size="xs" c="dimmed" flex={1}>
                  {bot.desired === 'running' ? t('files.restarts') : t('files.replaces')}
                </Text>
                <Button
                  loading={send.isPending}
                  onClick={() =>
                    send.mutate(
                      { id: bot.id, file, onProgress: setShare },
                      {
                        onSuccess: () => {
                          setFile(null);
                          notifications.show({ message: t('files.sent') });
                        },
                      },
                    )
                  }
                >
                  {t('files.send')}
                </Button>
              </Group>
            )}
          </>
        )}
      </Stack>
    </Section>
  );
}
