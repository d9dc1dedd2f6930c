import { Button, Text } from '@mantine/core';
import { IconFileZip, IconUpload } from '@tabler/icons-react';
import { useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '@/i18n/format';
import classes from './FilePicker.module.css';
import { uploadProblem } from './program';

interface Props {
  file: File | null;
  onChange: (file: File | null) => void;
}

/** Takes an archive, by choosing or by dropping it. */
export function FilePicker({ file, onChange }: Props) {
  const { t } = useTranslation('bots');
  const format = useFormat();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [problem, setProblem] = useState<'kind' | 'size'>();
  const take = (chosen: File | undefined) => {
    if (!chosen) return;
    const wrong = uploadProblem(chosen);
    setProblem(wrong);
    if (!wrong) onChange(chosen);
  };
  return (
    <div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is one way more; the button is the way by keyboard */}
      <div
        className={classes.zone}
        data-over={over || undefined}
        onDragOver={(e) => {
          e.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(e) => {
          e.preventDefault();
          setOver(false);
          take(e.dataTransfer.files[0]);
        }}
      >
        {file ? <IconFileZip size={24} stroke={1.5} aria-hidden /> : <IconUpload size={24} stroke={1.5} aria-hidden />}
        <div className={classes.words}>
          <Text size="sm" fw={550} truncate>
            {file ? file.name : t('files.drop')}
          </Text>
          <Text size="xs" c="dimmed">
            {file ? format.bytes(file.size) : t('files.limits')}
          </Text>
        </div>
        {file && (
          <Button size="xs" variant="subtle" color="gray" onClick={() => onChange(null)}>
            {t('files.remove')}
          </Button>
        )}
        <Button size="xs" variant="default" onClick={() => input.current?.click()}>
          {file ? t('files.other') : t('files.choose')}
        </Button>
        <input
          ref={input}
          id={id}
          type="file"
          hidden
          aria-label={t('files.choose')}
          accept=".zip,.tar.gz,.tgz,application/zip,application/gzip"
          onChange={(e) => {
            take(e.currentTarget.files?.[0]);
            e.currentTarget.value = '';
          }}
        />
      </div>
      {problem && (
        <Text size="xs" c="var(--bad)" mt={6} role="alert">
          {t(`files.wrong.${problem}`)}
        </Text>
      )}
    </div>
  );
}
