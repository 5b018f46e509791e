// What a reader says of an object, or a part of one, that it does not show (docs/formats/segment.md, "What readers
// refuse"). Holds no line and no key.
export class Refused extends Error {}

// The object is sealed for other keys than those that are here.
export class NoMatch extends Error {
    constructor() {
        super("no identity given opens this object");
    }
}

export function refuse(why: string): never {
    throw new Refused(why);
}
