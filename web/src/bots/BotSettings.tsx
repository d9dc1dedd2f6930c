import { Button, Card, Group, Radio, Stack, Text, TextInput, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Bot } from '@/api/resources';
import { useMoving } from '@/moves/MovesProvider';
import { usePermissions } from '@/tenants/queries';
import { ConflictDialog } from '@/ui/ConflictDialog';
import { CopyField } from '@/ui/CopyField';
import { InlineError } from '@/ui/errors';
import type { PanelProps } from './BotPage';
import classes from './BotSettings.module.css';
import { useBotForm } from './useBotForm';

export const accesses = ['private', 'token', 'public'] as const satisfies readonly Bot['access'][];

interface Values {
  name: string;
  access: Bot['access'];
}

const valuesOf = (bot: Bot): Values => ({ name: bot.name, access: bot.access });

/** The bot's name, who reaches it, where it lives, its end. */
export default function BotSettings({ bot, worker, onDelete }: PanelProps) {
  const { t } = useTranslation(['bots', 'ui', 'workers']);
  const may = usePermissions();
  const { choose } = useMoving();
  const { form, dirty, saving, error, submit, conflict } = useBotForm<Values>({
    bot,
    valuesOf,
    changeOf: (values, over) => ({
      name: values.name.trim() === over.name ? undefined : values.name.trim(),
      access: values.access === over.access ? undefined : values.access,
    }),
    validate: { name: (v) => (v.trim() === '' ? t('new.nameMissing') : null) },
  });
  if (!may.changeBots) {
    return (
      <Card>
        <Text c="dimmed">{t('settings.notAllowed')}</Text>
      </Card>
    );
  }
  return (
    <div className={classes.root}>
      <Card component="section" aria-labelledby="general">
        <Title order={2} id="general" mb="md">
          {t('settings.general')}
        </Title>
        <form noValidate onSubmit={submit}>
          <Stack gap="lg">
            <TextInput label={t('new.nameLabel')} maxLength={60} required {...form.getInputProps('name')} />
            <Radio.Group
              label={t('settings.access')}
              description={t('settings.accessText')}
              {...form.getInputProps('access')}
            >
              <Stack gap="sm" mt="sm">
                {accesses.map((access) => (
                  <Radio
                    key={access}
                    value={access}
                    label={t(`access.${access}.name`)}
                    description={t(`access.${access}.text`)}
                  />
                ))}
              </Stack>
            </Radio.Group>
            {error && <InlineError error={error} />}
            <Group justify="flex-end">
              <Button variant="default" disabled={!dirty} onClick={() => form.reset()}>
                {t('workers:settings.discard')}
              </Button>
              <Button type="submit" disabled={!dirty} loading={saving}>
                {t('ui:save')}
              </Button>
            </Group>
          </Stack>
        </form>
      </Card>
      <Card component="section" aria-labelledby="place">
        <Group justify="space-between" gap="md">
          <div className={classes.words}>
            <Title order={2} id="place">
              {t('settings.place')}
            </Title>
            <Text size="sm" c="dimmed">
              {t('settings.placeText', { worker: worker?.name ?? t('aWorker') })}
            </Text>
          </div>
          <Button variant="default" disabled={Boolean(bot.move_id)} onClick={() => choose(bot)}>
            {t('workers:board.moveBot')}
          </Button>
        </Group>
      </Card>
      <Card component="section" aria-labelledby="ids">
        <Title order={2} id="ids" mb="sm">
          {t('settings.ids')}
        </Title>
        <CopyField label={t('settings.id')} labelled value={bot.id} />
      </Card>
      {may.deleteBots && (
        <Card component="section" aria-labelledby="danger" className={classes.danger}>
          <Group justify="space-between" gap="md">
            <div className={classes.words}>
              <Title order={2} id="danger">
                {t('settings.delete')}
              </Title>
              <Text size="sm" c="dimmed">
                {t('settings.deleteText')}
              </Text>
            </div>
            <Button variant="default" c="var(--bad)" onClick={onDelete}>
              {t('action.delete')}
            </Button>
          </Group>
        </Card>
      )}
      {conflict && (
        <ConflictDialog
          busy={saving}
          differences={[
            { label: t('new.nameLabel'), theirs: conflict.theirs.name, mine: form.getValues().name.trim() },
            {
              label: t('settings.access'),
              theirs: t(`access.${conflict.theirs.access}.name`),
              mine: t(`access.${form.getValues().access}.name`),
            },
          ].filter((d) => d.theirs !== d.mine)}
          onTheirs={conflict.keepTheirs}
          onMine={conflict.keepMine}
          onClose={conflict.close}
        />
      )}
    </div>
  );
}
