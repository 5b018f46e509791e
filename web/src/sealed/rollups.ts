// Roll-ups as the plan uses them: footers of segments that were listed, and filters of their frames. A roll-up that
// cannot be used is as if it were not there.
import { slotsOf } from "./grams";
import type { Listed } from "./http";
import { readKey } from "./key";
import type { Crew, Held } from "./plan";
import type { Hour, Summary } from "./rollup";

// Of a day with fewer segments that are not known yet, their own footers are fetched.
const segmentsMin = 4;
const filtersKept = 64;

// Where the filters of a segment's frames are: in an hour of a roll-up, from a frame on.
interface Place {
    rollup: Listed;
    day: string;
    hour: Hour;
    first: number;
    all: number; // frames of the hour
}

export class Rollups {
    readonly #crew: Crew;
    readonly #tenant: string;
    readonly #hours = new Map<string, Promise<Summary[]>>();
    readonly #places = new Map<string, Place>();
    readonly #filters = new Map<string, Promise<Uint8Array | null>>();

    constructor(crew: Crew, tenant: string) {
        this.#crew = crew;
        this.#tenant = tenant;
    }

    // What roll-ups say of `segments`, by key.
    async summaries(rollups: readonly Listed[], segments: readonly Listed[], signal: AbortSignal) {
        const found = new Map<string, Summary>();
        for (const rollup of rollups) {
            const day = /\/rollup=(\d{4}-\d\d-\d\d)\.age$/.exec(rollup.key)?.[1];
            if (!day) continue;
            const wanted = new Set<string>();
            let count = 0;
            for (const { key } of segments) {
                const named = readKey(key);
                if (!named || named.spanning || !named.hour.startsWith(day)) continue;
                wanted.add(named.hour);
                count++;
            }
            if (count < segmentsMin) continue;
            try {
                for (const hour of await this.#crew.hours(rollup, this.#tenant, day)) {
                    if (!wanted.has(hour.hour)) continue;
                    for (const one of await this.#summariesOf(rollup, day, hour)) found.set(one.key, one);
                    signal.throwIfAborted();
                }
            } catch {
                signal.throwIfAborted();
            }
        }
        return found;
    }

    #summariesOf(rollup: Listed, day: string, hour: Hour): Promise<Summary[]> {
        const name = `${rollup.key} ${rollup.bytes} ${hour.hour}`;
        let known = this.#hours.get(name);
        if (!known) {
            known = this.#crew.summaries(rollup, this.#tenant, day, hour).then((all) => {
                let first = 0;
                const frames = all.reduce((sum, { footer }) => sum + footer.frames.length, 0);
                for (const { key, size, footer } of all) {
                    this.#places.set(`${key} ${size}`, { rollup, day, hour, first, all: frames });
                    first += footer.frames.length;
                }
                return all;
            });
            known.catch(() => this.#hours.delete(name));
            this.#hours.set(name, known);
        }
        return known;
    }

    // By key of a segment, of each of its frames: 0 where it cannot hold the text that is looked for.
    async filters(held: readonly Held[], text: string): Promise<Map<string, Uint8Array>> {
        const filters = new Map<string, Uint8Array>();
        const slots = slotsOf(text);
        if (!slots.length) return filters;
        const bytes = new Map<Hour, number>();
        const placed: { key: string; place: Place; frames: number }[] = [];
        for (const { key, segment } of held) {
            const place = this.#places.get(`${key} ${segment.size}`);
            // What a roll-up says is of the object that it has seen.
            if (!place?.hour.grams || segment.opened) continue;
            placed.push({ key, place, frames: segment.footer.frames.length });
            const sum = segment.footer.frames.reduce((all, one) => all + one.bytes, 0);
            bytes.set(place.hour, (bytes.get(place.hour) ?? 0) + sum);
        }
        for (const { key, place, frames } of placed) {
            // Filters that are larger than what they could spare are not fetched.
            if (bytes.get(place.hour)! <= place.hour.grams!.bytes) continue;
            const filter = await this.#filter(place, slots);
            if (filter) filters.set(key, filter.subarray(place.first, place.first + frames));
        }
        return filters;
    }

    #filter({ rollup, day, hour, all }: Place, slots: number[]): Promise<Uint8Array | null> {
        const name = `${rollup.key} ${rollup.bytes} ${hour.hour} ${slots.join()}`;
        let known = this.#filters.get(name);
        if (!known) {
            known = this.#crew.filter(rollup, this.#tenant, day, hour, all, slots).catch(() => null);
            this.#filters.set(name, known);
            if (this.#filters.size > filtersKept) this.#filters.delete(this.#filters.keys().next().value!);
        }
        return known;
    }
}
