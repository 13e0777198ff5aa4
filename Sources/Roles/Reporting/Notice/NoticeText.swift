import Foundation

/// A notice in words. What others have chosen, such as names of machines and branches and lines of commits, is made
/// harmless here, once for each form.
package struct NoticeText {
  /// Machines of one line that are named.
  private static let nameCountMax = 50
  private static let lineCountMax = 200
  private static let fieldCountMax = 200

  private let notice: Notice

  package init(_ notice: Notice) { self.notice = notice }

  /// `2 refused, 998 applied: main of git@github.com:acme/shop.git`
  package var subject: String {
    let counts = groups.reduce(into: [(kind: NoticeKind, count: Int)]()) { counts, group in
      if counts.last?.kind != group.kind {
        counts.append((group.kind, notice.counts[group.kind.rawValue] ?? group.subjects.count))
      }
    }.map { "\($0.count) \($0.kind.rawValue)" }.joined(separator: ", ")
    let streams = Set(notice.events.compactMap { Self.stream(of: $0) })
    guard streams.count == 1, let stream = streams.first else { return "distro: \(counts)" }
    return "distro: \(counts): \(stream)"
  }

  package var plain: String {
    (lines + omission).joined(separator: "\n") + "\n"
  }

  package var html: String {
    let items = (lines + omission).map { "<li>\(Self.escaped($0))</li>" }.joined(separator: "\n")
    return """
      <!DOCTYPE html>
      <html><body><p>\(Self.escaped(subject))</p>
      <ul>
      \(items)
      </ul></body></html>

      """
  }

  /// The body of a request to a webhook of Slack's, or of what takes the same: a block of code, in which nothing is a
  /// mention, a link or markup.
  package func slack() throws -> [UInt8] {
    let text = (lines + omission).joined(separator: "\n")
    let body = "\(Self.slackEscaped(subject))\n```\n\(Self.slackEscaped(text))\n```"
    return [UInt8](
      try JSONSerialization.data(
        withJSONObject: ["text": body], options: [.sortedKeys, .withoutEscapingSlashes]))
  }

  /// For a program that wants to know what it is about without reading the notice.
  package var variables: [String: String] {
    var variables = [
      "DISTRO_NOTICE": notice.id, "DISTRO_SUBJECT": subject,
      "DISTRO_EVENTS": NoticeKind.allCases.map(\.rawValue).filter { notice.counts[$0] != nil }
        .joined(separator: " "),
    ]
    for kind in NoticeKind.allCases {
      let name = kind.rawValue.uppercased().replacing("-", with: "_")
      variables["DISTRO_" + name] = "\(notice.counts[kind.rawValue] ?? 0)"
    }
    return variables
  }

  // MARK: - Lines

  private struct Group {
    let kind: NoticeKind
    let what: String
    var subjects: [String]
  }

  /// Events that differ in the machine alone are one line.
  private var groups: [Group] {
    var groups: [Group] = []
    var places: [String: Int] = [:]
    for event in notice.events {
      let what = Self.what(event)
      let key = "\(event.kind.rawValue) \(what)"
      if let place = places[key] {
        groups[place].subjects.append(Self.harmless(event.subject))
      } else {
        places[key] = groups.count
        groups.append(
          Group(kind: event.kind, what: what, subjects: [Self.harmless(event.subject)]))
      }
    }
    return groups
  }

  private var lines: [String] {
    let groups = groups
    return groups.prefix(Self.lineCountMax).map { group in
      let more = group.subjects.count - Self.nameCountMax
      let names =
        group.subjects.prefix(Self.nameCountMax).joined(separator: ", ")
        + (more > 0 ? " and \(more) more" : "")
      return "\(group.kind.rawValue): \(names)" + (group.what.isEmpty ? "" : " (\(group.what))")
    }
      + (groups.count > Self.lineCountMax
        ? ["… \(groups.count - Self.lineCountMax) more lines"] : [])
  }

  private var omission: [String] {
    notice.omitted > 0 ? ["… and \(notice.omitted) more; distro status shows all"] : []
  }

  private static func stream(of event: NoticeEvent) -> String? {
    guard let remote = event.remote, let branch = event.branch else { return nil }
    return "\(harmless(branch)) of \(harmless(remote))"
  }

  private static func what(_ event: NoticeEvent) -> String {
    var parts: [String] = []
    if let stream = stream(of: event) {
      parts.append(stream + (event.revision.map { " at \($0.prefix(12))" } ?? ""))
    }
    if let commit = event.commit, !commit.isEmpty { parts.append("'\(harmless(commit))'") }
    if let reason = event.reason { parts.append(harmless(reason)) }
    return parts.joined(separator: ", ")
  }

  // MARK: - Escaping

  /// One line without what a terminal, a mail reader or a chat would act on: control and format characters (direction marks
  /// among them), line ends of any kind.
  static func harmless(_ text: String, countMax: Int = fieldCountMax) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.prefix(countMax) {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate,
        .unassigned:
        scalars.append("?")
      default: scalars.append(scalar)
      }
    }
    let isCut = text.unicodeScalars.count > countMax
    return String(scalars) + (isCut ? "…" : "")
  }

  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.append(character)
      }
    }
  }

  /// Slack's three entities; a backquote would end the block, and `@` before a word is a mention with some others.
  private static func slackEscaped(_ text: String) -> String {
    var previous: Character = " "
    return text.reduce(into: "") { result, character in
      defer { previous = character }
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "`": result += "'"
      case "@" where !previous.isLetter && !previous.isNumber: result += "@\u{200B}"
      default: result.append(character)
      }
    }
  }
}
