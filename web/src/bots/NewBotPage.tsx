import { PageHeader } from '@/ui/PageHeader';

export function NewBotPage() {
  return <PageHeader title="NewBotPage" />;
}
