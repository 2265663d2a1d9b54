/** A size that droplets come in. Memory in megabytes, disk in gigabytes, transfer in terabytes, prices in US dollars. */
export interface DropletSize {
  slug: string;
  memory: number;
  vcpus: number;
  disk: number;
  transfer: number;
  monthlyPrice: number;
  hourlyPrice: number;
  description: string;
}

const basic = (
  slug: string,
  memory: number,
  vcpus: number,
  disk: number,
  transfer: number,
  monthlyPrice: number,
  hourlyPrice: number,
): DropletSize => ({ slug, memory, vcpus, disk, transfer, monthlyPrice, hourlyPrice, description: 'Basic' });

/** The sizes on offer, smallest first. */
export const DROPLET_SIZES: readonly DropletSize[] = [
  basic('s-1vcpu-512mb-10gb', 512, 1, 10, 0.5, 4, 0.00595),
  basic('s-1vcpu-1gb', 1_024, 1, 25, 1, 6, 0.00893),
  basic('s-1vcpu-2gb', 2_048, 1, 50, 2, 12, 0.01786),
  basic('s-2vcpu-2gb', 2_048, 2, 60, 3, 18, 0.02679),
  basic('s-2vcpu-4gb', 4_096, 2, 80, 4, 24, 0.03571),
  basic('s-4vcpu-8gb', 8_192, 4, 160, 5, 48, 0.07143),
  basic('s-8vcpu-16gb', 16_384, 8, 320, 6, 96, 0.14286),
];

/** Slugs of the sizes on offer, which every region has. */
export const DROPLET_SIZE_SLUGS: readonly string[] = DROPLET_SIZES.map(({ slug }) => slug);

/** The size with this slug; null when it is not on offer. */
export function findDropletSize(slug: string): DropletSize | null {
  return DROPLET_SIZES.find((size) => size.slug === slug) ?? null;
}
