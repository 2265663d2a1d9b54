import type { FaultEnvironment } from '../environment.ts';
import type { LinkTrouble } from '../plan.ts';
import { tapsBefore } from '../taps/process-taps.ts';

/** Troubles one connection for a while. `strength` is milliseconds of latency, or kilobytes a second. */
export async function troubleLink(
  environment: FaultEnvironment,
  { link, trouble, strength }: { link: string; trouble: LinkTrouble; strength: number },
  hold: () => Promise<void>,
): Promise<void> {
  if (trouble === 'down') {
    await enableLink(environment, link, false);
    await hold();
    await enableLink(environment, link, true);
    return;
  }
  const { toxiproxy } = environment;
  const [type, attributes] = toxicOf(trouble, strength);
  await toxiproxy.trouble(link, type, attributes);
  await hold();
  await toxiproxy.heal(link, type);
}

/** Cuts all connections of a link and has new ones rejected, or takes them again. */
export async function enableLink({ toxiproxy, taps }: FaultEnvironment, link: string, enabled: boolean): Promise<void> {
  await toxiproxy.enable(link, enabled);
  await Promise.all(tapsBefore(taps, link).map((tap) => tap.enable(enabled)));
}

function toxicOf(
  trouble: Exclude<LinkTrouble, 'down'>,
  strength: number,
): [type: string, attributes: Record<string, number>] {
  switch (trouble) {
    case 'latency':
      return ['latency', { latency: strength, jitter: Math.round(strength / 4) }];
    case 'bandwidth':
      return ['bandwidth', { rate: strength }];
    // Without a timeout nothing passes, and the connection stays open until the toxic is taken away.
    case 'silence':
      return ['timeout', { timeout: 0 }];
    case 'reset':
      return ['reset_peer', { timeout: 0 }];
  }
}
