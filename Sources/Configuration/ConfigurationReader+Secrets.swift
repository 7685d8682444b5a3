import Glibc

extension ConfigurationReader {
    /// The secret that `key` refers to: `${NAME}` is a variable of the environment, `file:PATH` the first line of a
    /// file.
    ///
    /// A secret written into the configuration itself is refused, and no message shows it. Nil if absent. Unless
    /// `isNeeded`, nil also if the variable or the file is missing or empty, which is not a fault then.
    public func secret(_ key: String, isNeeded: Bool = true) -> Secret? {
        guard let node = node(key) else { return nil }
        guard case .scalar(let scalar) = node.content else {
            mismatch(key, node, "${VARIABLE} or file:PATH")
            return nil
        }
        return resolved(scalar.text, key, line: node.line, isNeeded: isNeeded)
    }

    /// One or several secrets at `key`, each read as by `secret`: a reference, or a list of distinct references.
    ///
    /// - Parameters:
    ///   - key: Key of the secrets; there are none if it is absent.
    ///   - most: Maximum number of secrets.
    ///   - minimumBytes: Minimum number of bytes of each: a short one can be guessed.
    ///   - isNeeded: Whether a missing variable or file is a fault.
    /// - Returns: The secrets that could be read, in order; faults are recorded.
    public func secrets(_ key: String, atMost most: Int, minimumBytes: Int = 1, isNeeded: Bool = true) -> [Secret] {
        guard let node = node(key) else { return [] }
        var elements = [node]
        if case .list(let listed) = node.content { elements = listed }
        guard (1...most).contains(elements.count) else {
            report(key, "expected 1 to \(most) secrets, found \(elements.count)", line: node.line)
            return []
        }
        var secrets: [Secret] = []
        for element in elements {
            guard case .scalar(let scalar) = element.content, !element.isNull else {
                mismatch(key, element, "${VARIABLE} or file:PATH")
                continue
            }
            guard let secret = resolved(scalar.text, key, line: element.line, isNeeded: isNeeded)
            else { continue }
            if secret.reveal().utf8.count < minimumBytes {
                report(
                    key,
                    "expected a secret of at least \(minimumBytes) bytes, found a shorter one",
                    line: element.line
                )
            } else if secrets.contains(secret) {
                report(key, "expected distinct secrets, found one twice", line: element.line)
            } else {
                secrets.append(secret)
            }
        }
        return secrets
    }

    func resolved(_ reference: String, _ key: String, line: Int, isNeeded: Bool) -> Secret? {
        func absent(_ reason: String) -> Secret? { isNeeded ? issue(reason) : nil }
        func issue(_ reason: String) -> Secret? {
            fileState.issues.append(
                ConfigurationIssue(file: fileState.file, line: line, key: prefix + key, reason: reason)
            )
            return nil
        }
        if reference.hasPrefix("${"), reference.hasSuffix("}") {
            let name = String(reference.dropFirst(2).dropLast())
            guard !name.isEmpty else { return issue("expected the name of an environment variable in ${}") }
            guard let value = fileState.environment[name], !value.isEmpty else {
                return absent("expected the environment variable \(name) to be set")
            }
            return Secret(value)
        }
        if reference.hasPrefix("file:") {
            let path = String(reference.dropFirst(5))
            do throws(Unreadable) {
                return Secret(try firstLine(of: path))
            } catch {
                return absent("expected a secret in the file \(path): \(error.reason)")
            }
        }
        return issue("expected ${VARIABLE} or file:PATH, found the secret itself")
    }

    /// Why a file contains no secret.
    private struct Unreadable: Error { let reason: String }

    /// Reads the first line of a file. Bytes that are not UTF-8 are refused: replaced by U+FFFD, different secrets would
    /// become equal, and a random one would lose most of its entropy.
    private func firstLine(of path: String) throws(Unreadable) -> String {
        errno = 0
        guard let file = fopen(path, "re") else { throw Unreadable(reason: String(cString: strerror(errno))) }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = fread(&buffer, 1, buffer.count, file)
        guard ferror(file) == 0 else { throw Unreadable(reason: String(cString: strerror(errno))) }
        let line = buffer[..<count].prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard !line.isEmpty else { throw Unreadable(reason: "its first line is empty") }
        guard line.count < buffer.count else {
            throw Unreadable(reason: "its first line has more than \(buffer.count - 1) bytes")
        }
        guard let text = String(validating: line, as: UTF8.self) else {
            throw Unreadable(
                reason: "its first line is not UTF-8; write random bytes as base64 or hexadecimal digits"
            )
        }
        return text
    }
}
