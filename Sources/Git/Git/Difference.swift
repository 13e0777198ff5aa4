import CGit2

/// What turns one content into another, as git's patches say it; no repository, no attribute and no
/// path has a say.
package enum Difference {
  /// Data of a binary patch, deflated: the content itself, or git's delta against the other side.
  package struct BinaryData: Hashable, Sendable {
    package enum Kind: Sendable { case literal, delta }

    package let kind: Kind
    package let deflated: [UInt8]
    package let inflatedByteCount: Int
  }

  /// Unified hunks with three lines of context, `@@ -1,2 +1,3 @@` without a function name; empty
  /// when nothing differs.
  ///
  /// NUL bytes are taken as any other byte; a patch cannot carry them, so the caller asks first.
  package static func hunks(old: [UInt8], new: [UInt8]) throws(GitError) -> [UInt8] {
    try Libgit2.prepare()
    var result = HunkText()
    let hunk: git_diff_hunk_cb = { _, hunk, payload in
      guard let hunk = unsafe hunk, let payload = unsafe payload else { return -1 }
      unsafe payload.assumingMemoryBound(to: HunkText.self).pointee.append(hunk.pointee)
      return 0
    }
    let line: git_diff_line_cb = { _, _, line, payload in
      guard let line = unsafe line, let payload = unsafe payload else { return -1 }
      unsafe payload.assumingMemoryBound(to: HunkText.self).pointee.append(line.pointee)
      return 0
    }
    try unsafe compare(
      old, new, flags: GIT_DIFF_FORCE_TEXT.rawValue, binary: nil, hunk: hunk, line: line, &result)
    return result.bytes
  }

  /// Both directions; `nil` when nothing differs.
  package static func binary(
    old: [UInt8], new: [UInt8]
  ) throws(GitError) -> (forward: BinaryData, reverse: BinaryData)? {
    try Libgit2.prepare()
    guard old != new else { return nil }
    var result = BinaryPair()
    let binary: git_diff_binary_cb = { _, binary, payload in
      guard let binary = unsafe binary, let payload = unsafe payload else { return -1 }
      unsafe payload.assumingMemoryBound(to: BinaryPair.self).pointee.set(binary.pointee)
      return 0
    }
    let flags = GIT_DIFF_SHOW_BINARY.rawValue | GIT_DIFF_FORCE_BINARY.rawValue
    try unsafe compare(old, new, flags: flags, binary: binary, hunk: nil, line: nil, &result)
    guard let forward = result.forward, let reverse = result.reverse else {
      throw .libgit2(action: "compare contents", code: 0, reason: "gave no binary data")
    }
    return (forward, reverse)
  }

  private static func compare<Result>(
    _ old: [UInt8], _ new: [UInt8], flags: UInt32, binary: git_diff_binary_cb?,
    hunk: git_diff_hunk_cb?, line: git_diff_line_cb?, _ result: inout Result
  ) throws(GitError) {
    var options = unsafe git_diff_options()
    try unsafe Libgit2.check(
      git_diff_options_init(&options, UInt32(GIT_DIFF_OPTIONS_VERSION)), "compare contents")
    unsafe options.flags = flags
    unsafe options.context_lines = 3
    unsafe options.interhunk_lines = 0
    unsafe options.id_abbrev = 40
    let code = unsafe withUnsafeMutablePointer(to: &result) { payload in
      unsafe git_diff_buffers(
        old, old.count, nil, new, new.count, nil, &options, nil, binary, hunk, line, payload)
    }
    try Libgit2.check(code, "compare contents")
  }
}

private struct HunkText {
  var bytes: [UInt8] = []

  mutating func append(_ hunk: git_diff_hunk) {
    let old = Self.range(hunk.old_start, hunk.old_lines)
    let new = Self.range(hunk.new_start, hunk.new_lines)
    bytes += "@@ -\(old) +\(new) @@\n".utf8
  }

  mutating func append(_ line: git_diff_line) {
    // The other origins stand for "\ No newline at end of file", which has its own first byte.
    let origin = UInt8(bitPattern: unsafe line.origin)
    if [UInt8(ascii: " "), UInt8(ascii: "+"), UInt8(ascii: "-")].contains(origin) {
      bytes.append(origin)
    }
    unsafe bytes.append(
      contentsOf: UnsafeRawBufferPointer(start: line.content, count: line.content_len))
  }

  private static func range(_ start: Int32, _ count: Int32) -> String {
    count == 1 ? "\(start)" : "\(start),\(count)"
  }
}

private struct BinaryPair {
  var forward: Difference.BinaryData?
  var reverse: Difference.BinaryData?

  mutating func set(_ binary: git_diff_binary) {
    forward = unsafe Self.data(binary.new_file)
    reverse = unsafe Self.data(binary.old_file)
  }

  private static func data(_ file: git_diff_binary_file) -> Difference.BinaryData? {
    let kind: Difference.BinaryData.Kind
    switch unsafe file.type {
    case GIT_DIFF_BINARY_LITERAL: kind = .literal
    case GIT_DIFF_BINARY_DELTA: kind = .delta
    default: return nil
    }
    let deflated = unsafe UnsafeRawBufferPointer(start: file.data, count: file.datalen)
    return unsafe Difference.BinaryData(
      kind: kind, deflated: Array(deflated), inflatedByteCount: file.inflatedlen)
  }
}
