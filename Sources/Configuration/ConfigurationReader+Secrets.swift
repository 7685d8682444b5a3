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
    ///   - bytes: Minimum number of bytes of each: a short one can be guessed.
    ///   - isNeeded: Whether a missing variable or file is a fault.
    /// - Returns: The secrets that could be read, in order; faults are recorded.
    public func secrets(_ key: String, atMost most: Int, of bytes: Int = 1, isNeeded: Bool = true) -> [Secret] {
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
            if secret.reveal().utf8.count < bytes {
                report(key, "expected a secret of at least \(bytes) bytes, found a shorter one", line: element.line)
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
            log.issues.append(ConfigurationIssue(file: log.file, line: line, key: prefix + key, reason: reason))
            return nil
        }
        if reference.hasPrefix("${"), reference.hasSuffix("}") {
            let name = String(reference.dropFirst(2).dropLast())
            guard let value = log.environment[name], !value.isEmpty else {
                return absent("expected the environment variable \(name) to be set")
            }
            return Secret(value)
        }
        if reference.hasPrefix("file:") {
            let path = String(reference.dropFirst(5))
            guard let line = firstLine(of: path) else {
                return absent("expected a secret in the file \(path): \(String(cString: strerror(errno)))")
            }
            guard !line.isEmpty else { return absent("expected a secret in the file \(path): its first line is empty") }
            return Secret(line)
        }
        return issue("expected ${VARIABLE} or file:PATH, found the secret itself")
    }

    private func firstLine(of path: String) -> String? {
        errno = 0
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = fread(&buffer, 1, buffer.count, file)
        let line = buffer[..<count].prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        return String(decoding: line, as: UTF8.self)
    }
}
