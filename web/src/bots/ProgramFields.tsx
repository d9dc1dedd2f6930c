import {
  ActionIcon,
  Anchor,
  Button,
  Collapse,
  Group,
  NumberInput,
  Radio,
  SegmentedControl,
  Select,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import type { FormErrors, UseFormReturnType } from '@mantine/form';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import { isSecretName } from '@/secrets/names';
import { SecretSelect } from '@/secrets/SecretSelect';
import { splitCommand } from './command';
import { Section } from './PersonaFields';
import classes from './ProgramFields.module.css';
import { looksSecret, newRow, type ProgramValues, parseEnv } from './program';

interface Props {
  form: UseFormReturnType<ProgramValues>;
  worker: string | undefined;
  /** The number of the first section, in a guide; none otherwise. */
  from?: number;
  disabled?: boolean;
}

/** What is wrong with a program's settings, by field. */
export function validateProgram(t: TFunction<'bots'>): (v: ProgramValues) => FormErrors {
  return (v) => {
    const errors: FormErrors = {};
    const command = (line: string) => {
      const words = splitCommand(line);
      return words === undefined ? t('program.quote') : words.length === 0 ? t('program.commandMissing') : null;
    };
    errors.command = command(v.command);
    if (v.port !== '' && (v.port < 1024 || v.port > 65535)) errors.port = t('program.portWrong');
    if (v.health === 'command') errors.health_command = command(v.health_command);
    if (v.health === 'http' && !v.health_path.startsWith('/')) errors.health_path = t('program.pathWrong');
    if ((v.health === 'http' || v.health === 'tcp') && v.port === '') errors.port = t('program.portNeeded');
    const seen = new Set<string>();
    v.env.forEach((row, i) => {
      if (row.name === '' && row.value === '' && row.secret === '') return;
      if (!isSecretName(row.name)) errors[`env.${i}.name`] = t('program.envWrong');
      else if (row.name === 'PORT' || row.name.startsWith('BAAS_')) errors[`env.${i}.name`] = t('program.envReserved');
      else if (seen.has(row.name)) errors[`env.${i}.name`] = t('program.envTwice');
      if (row.kind === 'secret' && row.secret === '') errors[`env.${i}.secret`] = t('channels.choose');
      seen.add(row.name);
    });
    for (const key of Object.keys(errors)) if (errors[key] === null) delete errors[key];
    return errors;
  };
}

/** How a program is run: its command, variables, port, health check. */
export function ProgramFields({ form, worker, from, disabled }: Props) {
  const { t } = useTranslation('bots');
  const [advanced, { toggle }] = useDisclosure(false);
  const v = form.values;
  const number = (n: number) => (from === undefined ? undefined : from + n);

  /** Lines of a .env file that are pasted into a name become rows. */
  const paste = (index: number) => (e: React.ClipboardEvent) => {
    const rows = parseEnv(e.clipboardData.getData('text'));
    if (rows.length === 0) return;
    e.preventDefault();
    form.setFieldValue('env', [...v.env.slice(0, index), ...rows.map((row) => newRow(row)), ...v.env.slice(index + 1)]);
  };

  return (
    <fieldset className={classes.fields} disabled={disabled}>
      <Section number={number(0)} title={t('program.command')} text={t('program.commandText')}>
        <TextInput
          label={t('program.commandLabel')}
          placeholder="python3 bot.py"
          classNames={{ input: classes.code }}
          autoComplete="off"
          spellCheck={false}
          required
          {...form.getInputProps('command')}
        />
        <Words line={v.command} />
      </Section>
      <Section number={number(1)} title={t('program.env')} text={t('program.envText')}>
        <Stack gap="sm">
          {v.env.map((row, i) => (
            <div key={row.key} className={classes.row}>
              <TextInput
                className={classes.name}
                classNames={{ input: classes.code }}
                aria-label={t('program.envName')}
                placeholder={t('program.envName')}
                autoComplete="off"
                spellCheck={false}
                onPaste={paste(i)}
                {...form.getInputProps(`env.${i}.name`)}
              />
              <SegmentedControl
                size="xs"
                aria-label={t('program.envKind', { name: row.name })}
                disabled={disabled}
                data={[
                  { value: 'value', label: t('program.envValue') },
                  { value: 'secret', label: t('program.envSecret') },
                ]}
                {...form.getInputProps(`env.${i}.kind`)}
              />
              <div className={classes.value}>
                {row.kind === 'secret' ? (
                  <SecretSelect
                    aria-label={t('program.envSecretOf', { name: row.name })}
                    worker={worker}
                    proposed={row.name}
                    disabled={disabled}
                    {...form.getInputProps(`env.${i}.secret`)}
                  />
                ) : (
                  <TextInput
                    classNames={{ input: classes.code }}
                    aria-label={t('program.envValueOf', { name: row.name })}
                    placeholder={t('program.envValue')}
                    autoComplete="off"
                    spellCheck={false}
                    {...form.getInputProps(`env.${i}.value`)}
                  />
                )}
                {row.kind === 'value' && row.value !== '' && looksSecret(row.name) && (
                  <Text size="xs" c="var(--warn)" mt={4}>
                    {t('program.envLooksSecret')}
                  </Text>
                )}
              </div>
              <ActionIcon
                size={36}
                color="red"
                aria-label={t('program.envRemove', { name: row.name })}
                disabled={disabled}
                onClick={() => form.removeListItem('env', i)}
              >
                <IconTrash size={17} stroke={1.7} />
              </ActionIcon>
            </div>
          ))}
          <Group gap="sm">
            <Button
              size="xs"
              variant="default"
              leftSection={<IconPlus size={15} />}
              disabled={disabled}
              onClick={() => form.insertListItem('env', newRow())}
            >
              {t('program.envAdd')}
            </Button>
            <Text size="xs" c="dimmed">
              {t('program.envPaste')}
            </Text>
          </Group>
        </Stack>
      </Section>
      <Section number={number(2)} title={t('program.serve')} text={t('program.serveText')}>
        <Stack gap="md">
          <NumberInput
            label={t('program.port')}
            description={t('program.portHelp')}
            placeholder="8080"
            w={220}
            maw="100%"
            min={0}
            max={65535}
            hideControls
            thousandSeparator=""
            allowDecimal={false}
            {...form.getInputProps('port')}
            onChange={(n) => form.setFieldValue('port', n === '' || Number(n) === 0 ? '' : Number(n))}
          />
          <Radio.Group
            label={t('program.health')}
            description={t('program.healthText')}
            {...form.getInputProps('health')}
          >
            <Stack gap="xs" mt="xs">
              {(['none', 'http', 'tcp', 'command'] as const).map((kind) => (
                <Radio key={kind} value={kind} label={t(`program.healths.${kind}`)} disabled={disabled} />
              ))}
            </Stack>
          </Radio.Group>
          {v.health === 'http' && (
            <TextInput
              label={t('program.healthPath')}
              classNames={{ input: classes.code }}
              required
              {...form.getInputProps('health_path')}
            />
          )}
          {v.health === 'command' && (
            <TextInput
              label={t('program.healthCommand')}
              classNames={{ input: classes.code }}
              placeholder="python3 check.py"
              required
              {...form.getInputProps('health_command')}
            />
          )}
          {v.health !== 'none' && (
            <SimpleGrid cols={{ base: 1, sm: 2 }}>
              <NumberInput
                label={t('program.interval')}
                suffix=" s"
                min={1}
                max={3600}
                {...form.getInputProps('interval')}
                onChange={(n) => form.setFieldValue('interval', Number(n) || 10)}
              />
              <NumberInput
                label={t('program.restartAfter')}
                description={t('program.restartAfterHelp')}
                inputWrapperOrder={['label', 'input', 'description', 'error']}
                min={0}
                max={1000}
                {...form.getInputProps('restart_after')}
                onChange={(n) => form.setFieldValue('restart_after', Number(n) || 0)}
              />
            </SimpleGrid>
          )}
          <div>
            <Anchor component="button" type="button" size="sm" aria-expanded={advanced} onClick={toggle}>
              {advanced ? t('persona.less') : t('persona.more')}
            </Anchor>
            <Collapse expanded={advanced}>
              <SimpleGrid cols={{ base: 1, sm: 2 }} mt="sm">
                <Select
                  label={t('program.restart')}
                  description={t('program.restartHelp')}
                  allowDeselect={false}
                  disabled={disabled}
                  data={(['always', 'on_failure', 'never'] as const).map((value) => ({
                    value,
                    label: t(`program.restarts.${value}`),
                  }))}
                  {...form.getInputProps('restart')}
                />
                <NumberInput
                  label={t('program.stop')}
                  description={t('program.stopHelp')}
                  suffix=" s"
                  min={1}
                  max={300}
                  {...form.getInputProps('stop_seconds')}
                  onChange={(n) => form.setFieldValue('stop_seconds', Number(n) || 10)}
                />
              </SimpleGrid>
            </Collapse>
          </div>
        </Stack>
      </Section>
    </fieldset>
  );
}

/** The words that a command line is taken apart into, so that quotes hold no surprise. */
function Words({ line }: { line: string }) {
  const { t } = useTranslation('bots');
  const words = splitCommand(line);
  if (!words || words.length < 2) return null;
  return (
    <div className={classes.words} role="img" aria-label={`${t('program.words')}: ${words.join(' | ')}`}>
      {words.map((word, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: words have no identity but their place
        <code key={i}>{word || '""'}</code>
      ))}
    </div>
  );
}
