import Testing

/// A call names the purpose of its arguments: few parameters have no label.
@Suite struct ParameterTests {
    /// The largest number of parameters without a label that a function may have.
    private static let unlabeledLimit = 3

    /// Functions that may have more, each with its file; an unneeded entry is an error.
    private static let exempt: Set<String> = []

    @Test("No function or initializer has more than three parameters without a label")
    func labels() throws {
        var excused: Set<String> = []
        let files = Repository.files(below: "Sources", withExtension: "swift")
        #expect(files.count > 100, "only \(files.count) files were found")
        for path in files {
            for signature in signatures(in: try Repository.text(path)) where signature.unlabeled > Self.unlabeledLimit {
                let name = "\(path) \(signature.name)"
                if Self.exempt.contains(name) {
                    excused.insert(name)
                } else {
                    Issue.record(
                        """
                        \(path):\(signature.line): \(signature.name) has \(signature.unlabeled) parameters without a label, \
                        at most \(Self.unlabeledLimit) may be: label them by their role in the call (of:, in:, at:, under:, \
                        with:, into:, or a noun), or make one value of those that belong together
                        """
                    )
                }
            }
        }
        for name in Self.exempt.subtracting(excused).sorted() {
            Issue.record("\(name) is exempt and needs no exemption: strike it out")
        }
    }

    @Test("Labels are counted in declarations, whatever their layout")
    func rule() {
        func counts(_ text: String) -> [String] { signatures(in: text).map { "\($0.line) \($0.name) \($0.unlabeled)" } }
        #expect(counts("func f(_ a: Int, _ b: Int, c: Int, d e: Int) {}") == ["1 f(_:_:c:d:) 2"])
        #expect(
            counts(
                "/* func g(_ a: A) */\nprivate func f<K: Hashable>(\n    _ a: K,  // one, _ two\n    _ b: [K: (Int, Int)],\n    c: Int\n) {}"
            )
                == ["2 f(_:_:c:) 2"]
        )
        #expect(
            counts("init?(_ a: Int = g(1, 2), _ b: Int) { self.init(a, b); let _ = A.init(a, b) }") == [
                "1 init(_:_:) 2"
            ]
        )
        #expect(counts("static func < (left: A, right: A) -> Bool { true }") == ["1 <(left:right:) 0"])
        #expect(counts("subscript(_ a: Int, b: Int) -> Int { a }") == ["1 subscript(_:b:) 1"])
        // Parameters of a closure are not parameters of the function.
        #expect(
            counts("func f(_ body: (_ a: Int, _ b: Int) -> Void, _ c: Int) { g { (_ x, _ y) in } }") == ["1 f(_:_:) 2"]
        )
        #expect(
            counts("func f(@Builder _ a: () -> A, _ b: Result<[A: B], C>, c: () -> Void = {}) {}") == ["1 f(_:_:c:) 2"]
        )
        #expect(counts("func `in`(_ a: inout some P<A, B>) async throws(E<A>) -> (Int, Int) {}") == ["1 in(_:) 1"])
        #expect(counts("let text = \"func f(_ a: Int)\"").isEmpty)
        #expect(counts("func f(_ a: A, _ b: B, _ c: C, _ d: D) {}") == ["1 f(_:_:_:_:) 4"])
    }
}

/// The head of a function, an initializer or a subscript.
private struct Signature {
    let line: Int
    /// The name with the argument labels, as in `copy(_:to:)`.
    let name: String
    /// Number of parameters whose argument label is `_`.
    let unlabeled: Int
}

/// The signatures that a Swift source declares, in order.
private func signatures(in source: String) -> [Signature] {
    let words = words(of: source)
    var found: [Signature] = []
    for (index, word) in words.enumerated() where ["func", "init", "subscript"].contains(word.text) {
        guard index == 0 || words[index - 1].text != "." else { continue }
        var position = index + 1
        var name = word.text
        if name == "func" {
            // The name is one word, or an operator of several characters.
            name = ""
            while position < words.count, name.isEmpty || (!words[position].isName && words[position].text != "(") {
                if !name.isEmpty, isNameStart(name), words[position].text == "<" { break }
                if words[position].text != "`" { name += words[position].text }
                position += 1
            }
        } else if position < words.count, ["?", "!"].contains(words[position].text) {
            position += 1
        }
        if position < words.count, words[position].text == "<" { position = end(of: words, from: position) }
        guard position < words.count, words[position].text == "(" else { continue }
        let labels = labels(words, from: position)
        found.append(
            Signature(
                line: word.line,
                name: "\(name)(\(labels.map { "\($0):" }.joined()))",
                unlabeled: labels.count { $0 == "_" }
            )
        )
    }
    return found
}

/// Argument labels of the parameters in the parentheses that begin at a position.
private func labels(_ words: [Word], from start: Int) -> [String] {
    var labels: [String] = []
    var depth = 0
    var begins = false
    var position = start
    while position < words.count {
        let text = words[position].text
        if "([{".contains(text) {
            depth += 1
            begins = depth == 1
        } else if ")]}".contains(text) {
            depth -= 1
            if depth == 0 { break }
        } else if text == ",", depth == 1 {
            begins = true
        } else if text == "<", depth == 1, position > start, words[position - 1].isName {
            position = end(of: words, from: position)
            continue
        } else if text == "@", begins {
            // Skips an attribute before the label.
            position += 1
        } else if begins {
            if text == "`" { position += 1 }
            labels.append(words[position].text)
            begins = false
        }
        position += 1
    }
    return labels
}

/// The position after the angle brackets that begin at a position.
private func end(of words: [Word], from start: Int) -> Int {
    var depth = 0
    var position = start
    repeat {
        if words[position].text == "<" { depth += 1 }
        if words[position].text == ">" { depth -= 1 }
        position += 1
    } while depth > 0 && position < words.count
    return position
}

/// A name, a number, an arrow, or another character by itself.
private struct Word {
    let text: String
    let line: Int
    var isName: Bool { isNameStart(text) }
}

private func isNameStart(_ text: String) -> Bool { text.first.map { $0.isLetter || $0 == "_" } ?? false }

/// The words of the code of a Swift source.
private func words(of source: String) -> [Word] {
    func isPart(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A, 0x80...: true
        default: false
        }
    }
    var words: [Word] = []
    for line in codeLines(source) {
        let bytes = Array(line.text.utf8)
        var position = 0
        while position < bytes.count {
            var end = position + 1
            if isPart(bytes[position]) {
                while end < bytes.count, isPart(bytes[end]) { end += 1 }
            } else if bytes[position...].starts(with: "->".utf8) {
                end += 1
            }
            if bytes[position] > 0x20 {
                words.append(Word(text: String(decoding: bytes[position..<end], as: UTF8.self), line: line.number))
            }
            position = end
        }
    }
    return words
}
