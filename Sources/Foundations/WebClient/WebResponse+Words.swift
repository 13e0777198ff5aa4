package import Foundation

extension WebResponse {
  /// The body, where it is an object of JSON.
  package var object: [String: Any]? {
    do {
      return try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]
    } catch {
      return nil
    }
  }

  /// What the host says to people, cut short, without what a terminal would take for a command; empty: nothing.
  package var message: String {
    let object = object
    return Self.plain(
      object?["message"] as? String ?? object?["error"] as? String
        ?? (object?["error"] as? [String: Any])?["message"] as? String
        ?? ((object?["errors"] as? [Any])?.first as? [String: Any])?["message"] as? String ?? "")
  }

  /// A host's text, likewise.
  package static func plain(_ text: String) -> String {
    let scalars = text.unicodeScalars.prefix(200).map {
      $0.properties.generalCategory == .control ? " " : $0
    }
    return String(String.UnicodeScalarView(scalars))
  }

  /// What `Retry-After` asks for, in seconds or as a date, which counts from the host's own clock; `nil`: nothing.
  package func retrySeconds(at now: Date) -> Double? {
    guard let text = header("retry-after") else { return nil }
    return Double(text) ?? Self.date(text)?.timeIntervalSince(hostTime(at: now))
  }

  /// What the host's clock says; `now`, where it does not tell.
  package func hostTime(at now: Date) -> Date { header("date").flatMap { Self.date($0) } ?? now }

  /// RFC 9110, 5.6.7, the first form.
  private static func date(_ text: String) -> Date? {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(secondsFromGMT: 0)
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    return formatter.date(from: text)
  }
}
