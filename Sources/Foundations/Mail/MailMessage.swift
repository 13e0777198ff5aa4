import Foundation
import Glibc

/// One mail to one address: plain text and HTML that say the same.
///
/// Whatever the texts hold: the subject is one encoded header (RFC 2047), the bodies are base64. The identifier stays the
/// same however often it is sent, so that readers show it once.
package struct MailMessage: Sendable {
  /// In characters; longer ones are cut.
  private static let subjectCountMax = 200

  package let from: MailAddress
  package let to: MailAddress
  private let identifier: String
  private let seconds: UInt64
  private let subject: String
  private let text: String
  private let html: String

  /// `identifier`: letters, digits, dots and hyphens. `seconds`: since 1970.
  package init(
    identifier: String, from: MailAddress, to: MailAddress, at seconds: UInt64, subject: String,
    text: String, html: String
  ) {
    precondition(identifier.utf8.allSatisfy { $0.isIdentifier }, "an identifier is plain")
    (self.identifier, self.from, self.to, self.seconds) = (identifier, from, to, seconds)
    (self.subject, self.text, self.html) = (subject, text, html)
  }

  package var bytes: [UInt8] {
    let boundary = "=_\(identifier)"
    let lines =
      [
        "Date: \(date)", "From: distro <\(from)>", "To: <\(to)>",
        "Message-ID: <\(identifier)@\(from.domain)>", "Subject: \(Self.encoded(subject))",
        "Auto-Submitted: auto-generated", "MIME-Version: 1.0",
        "Content-Type: multipart/alternative; boundary=\"\(boundary)\"", "",
      ] + Self.part("text/plain", text, after: boundary)
      + Self.part("text/html", html, after: boundary) + ["--\(boundary)--", ""]
    return Array(lines.joined(separator: "\r\n").utf8)
  }

  /// With the ends of lines that programs of this machine take: no line holds a carriage return.
  package var localBytes: [UInt8] { bytes.filter { $0 != UInt8(ascii: "\r") } }

  private static func part(_ type: String, _ text: String, after boundary: String) -> [String] {
    let body = Data(text.utf8).base64EncodedString(options: [
      .lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed,
    ])
    return [
      "--\(boundary)", "Content-Type: \(type); charset=utf-8", "Content-Transfer-Encoding: base64",
      "", body,
    ]
  }

  /// As words of 75 bytes at most, whole characters each (RFC 2047, 2 and 5).
  private static func encoded(_ subject: String) -> String {
    var words: [[UInt8]] = [[]]
    for scalar in subject.unicodeScalars.prefix(subjectCountMax) {
      let bytes = Array(String(scalar).utf8)
      if words[words.count - 1].count + bytes.count > 45 { words.append([]) }
      words[words.count - 1] += bytes
    }
    return words.map { "=?utf-8?B?\(Data($0).base64EncodedString())?=" }.joined(
      separator: "\r\n ")
  }

  /// RFC 5322, 3.3; the process's locale is C.
  private var date: String {
    var time = time_t(clamping: seconds)
    var parts = unsafe tm()
    unsafe gmtime_r(&time, &parts)
    var buffer = [CChar](repeating: 0, count: 64)
    let count = unsafe strftime(&buffer, buffer.count, "%a, %d %b %Y %H:%M:%S +0000", &parts)
    return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension UInt8 {
  fileprivate var isIdentifier: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
