import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { Bot } from '@/api/resources';
import { useTenantSlug } from '@/tenants/queries';
import { Dialog } from '@/ui/Dialog';
import { InlineError } from '@/ui/errors';
import { fieldErrors } from '@/ui/forms';
import { copyOf } from './duplicate';
import { useBots, useCreateBot } from './queries';
import { WorkerField } from './WorkerField';

/** Makes a second bot with the same settings. */
export function DuplicateBot({ bot, onClose }: { bot: Bot; onClose: () => void }) {
  const { t } = useTranslation(['bots', 'ui']);
  const tenant = useTenantSlug();
  const navigate = useNavigate();
  const { data: bots } = useBots();
  const create = useCreateBot();
  const form = useForm({
    initialValues: { name: copyName(bot.name, bots ?? [], t('duplicate.suffix')), worker: bot.worker_id },
    validate: { name: (v) => (v.trim() === '' ? t('new.nameMissing') : null) },
  });
  const channels = Boolean(bot.assistant?.telegram ?? bot.assistant?.whatsapp);
  return (
    <Dialog onClose={onClose} title={t('duplicate.title', { name: bot.name })}>
      <form
        noValidate
        onSubmit={form.onSubmit(({ name, worker }) =>
          create.mutate(copyOf(bot, name.trim(), worker), {
            onSuccess: (made) => {
              onClose();
              void navigate({ to: '/t/$tenant/bots/$botId', params: { tenant, botId: made.id } });
            },
            onError: (error) => form.setErrors(fieldErrors(error, { worker_id: 'worker' })),
          }),
        )}
      >
        <Stack gap="md">
          <TextInput
            data-autofocus
            label={t('new.nameLabel')}
            maxLength={60}
            required
            {...form.getInputProps('name')}
          />
          <WorkerField {...form.getInputProps('worker')} />
          <Text size="sm" c="dimmed">
            {t('duplicate.text')} {channels && t('duplicate.channels')} {bot.files && t('duplicate.files')}
          </Text>
          {create.error && <InlineError error={create.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('ui:cancel')}
            </Button>
            <Button type="submit" loading={create.isPending}>
              {t('duplicate.action')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

function copyName(name: string, bots: readonly Bot[], suffix: string): string {
  const taken = new Set(bots.map((b) => b.name));
  for (let n = 1; ; n++) {
    const tail = n === 1 ? ` (${suffix})` : ` (${suffix} ${n})`;
    const proposed = [...name].slice(0, 60 - tail.length).join('') + tail;
    if (!taken.has(proposed)) return proposed;
  }
}
