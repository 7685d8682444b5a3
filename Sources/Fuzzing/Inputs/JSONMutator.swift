public import Statistics

/// Changes JSON texts in the ways in which external input may be wrong: types, numbers, lengths, depths, keys, order,
/// bytes.
public struct JSONMutator: Sendable {
    /// Trees whose parts are inserted elsewhere.
    private let corpus: [JSONTree]
    /// Size in bytes of the longest text that is inserted.
    private let longest: Int

    public init(corpus: [JSONTree], longest: Int = 300_000) {
        self.corpus = corpus
        self.longest = longest
    }

    /// Changes a tree at one to four positions.
    public func mutate(_ tree: inout JSONTree, _ generator: inout SplitMix64) {
        for _ in 0...generator.size(below: 4) { change(&tree, &generator) }
    }

    /// Returns the text of a tree; in 15 % of cases with some of its bytes changed by `ByteMutator`.
    public func bytes(of tree: JSONTree, _ generator: inout SplitMix64) -> [UInt8] {
        var bytes = tree.bytes
        guard generator.chance(0.15) else { return bytes }
        ByteMutator.mutate(&bytes, &generator)
        return bytes
    }

    private func change(_ tree: inout JSONTree, _ generator: inout SplitMix64) {
        let position = generator.next(below: tree.count)
        var donor = generator.chance(0.5) && !corpus.isEmpty ? generator.pick(corpus) : tree
        var other = JSONTree.null
        donor.change(generator.next(below: donor.count)) { other = $0 }
        tree.change(position) { change(value: &$0, other, &generator) }
    }

    private func change(value: inout JSONTree, _ other: JSONTree, _ generator: inout SplitMix64) {
        switch value {
        case .object(var members) where generator.chance(0.8):
            change(members: &members, other, &generator)
            value = .object(members)
        case .array(var elements) where generator.chance(0.7):
            change(elements: &elements, other, &generator)
            value = .array(elements)
        case .string(let text) where generator.chance(0.4): value = .string(changed(text, &generator))
        case .raw where generator.chance(0.6): value = .word(generator.pick(Extremes.numbers))
        default: value = anyValue(other, &generator)
        }
    }

    /// A value of any type.
    func anyValue(_ other: JSONTree, _ generator: inout SplitMix64) -> JSONTree {
        switch generator.next(below: 11) {
        case 0: return .null
        case 1: return .word(generator.chance(0.5) ? "true" : "false")
        case 2, 3: return .word(generator.pick(Extremes.numbers))
        case 4: return .string(Extremes.text(&generator, limit: longest))
        case 5: return .text(generator.pick(Extremes.ids))
        case 6: return generator.chance(0.5) ? [] : [:]
        case 7: return nested(&generator)
        case 8: return .text(generator.pick(Extremes.words))
        default: return other
        }
    }

    private func nested(_ generator: inout SplitMix64) -> JSONTree {
        // The tree is written recursively; deeper nesting is made from bytes.
        let depth = generator.chance(0.1) ? 1_000 : generator.between(1...80)
        let isObject = generator.chance(0.5)
        var tree: JSONTree = generator.chance(0.5) ? 1 : []
        for _ in 0..<depth { tree = isObject ? ["a": tree] : [tree] }
        return tree
    }

    private func change(members: inout [JSONTree.Member], _ other: JSONTree, _ generator: inout SplitMix64) {
        guard !members.isEmpty else { return members.append(JSONTree.Member("x", other)) }
        let index = generator.next(below: members.count)
        switch generator.next(below: 9) {
        case 0, 1: members.remove(at: index)
        case 2:
            // A key twice: which one counts must be the same for every reader.
            var copy = members[index]
            if generator.chance(0.7) { copy.value = anyValue(other, &generator) }
            members.insert(copy, at: generator.next(below: members.count + 1))
        case 3: members[index].key = changed(members[index].key, &generator)
        case 4: SeededSampling.shuffle(&members, using: &generator)
        case 5: members.append(JSONTree.Member(key: Extremes.text(&generator, limit: 1_000), value: other))
        case 6:
            let key = members[index].key
            members[index].key = members[generator.next(below: members.count)].key
            if generator.chance(0.5) { members.append(JSONTree.Member(key: key, value: other)) }
        case 7:
            for number in 0..<generator.size(below: 3_000) { members.append(JSONTree.Member("k\(number)", other)) }
        default: members[index].value = anyValue(other, &generator)
        }
    }

    private func change(elements: inout [JSONTree], _ other: JSONTree, _ generator: inout SplitMix64) {
        switch generator.next(below: 6) {
        case 0 where !elements.isEmpty: elements.remove(at: generator.next(below: elements.count))
        case 1 where !elements.isEmpty:
            let element = elements[generator.next(below: elements.count)]
            let most = element.count > 20 ? 20 : 30_000
            for _ in 0..<generator.size(below: most) { elements.append(element) }
        case 2: SeededSampling.shuffle(&elements, using: &generator)
        case 3 where !elements.isEmpty:
            elements[generator.next(below: elements.count)] = anyValue(other, &generator)
        case 4: elements.removeAll()
        default: elements.insert(other, at: generator.next(below: elements.count + 1))
        }
    }

    private func changed(_ text: [UInt8], _ generator: inout SplitMix64) -> [UInt8] {
        switch generator.next(below: 7) {
        case 0: return Extremes.text(&generator, limit: longest)
        case 1: return []
        case 2: return text + text
        case 3:
            let index = generator.next(below: text.count + 1)
            return Array(text[..<index]) + generator.pick(Extremes.characters) + text[index...]
        case 4:
            // An equal text in another spelling.
            return text.flatMap { byte -> [UInt8] in
                guard (0x30..<0x7B).contains(byte), byte != UInt8(ascii: "\\") else { return [byte] }
                return Array("\\u00\(String(byte, radix: 16))".utf8)
            }
        case 5: return Array(text.dropLast(generator.next(below: text.count + 1)))
        default: return JSONTree.escaped(generator.pick(Extremes.ids))
        }
    }
}
