import { Outlet } from '@tanstack/react-router';

export function OperatorFrame() {
  return (
    <main id="content">
      <Outlet />
    </main>
  );
}
