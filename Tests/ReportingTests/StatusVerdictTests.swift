import MessageFormat
import Reporting
import Testing
import WebClient

/// What a host's answer means, without a host.
@Suite struct StatusVerdictTests {
  private static let host = "git.example.org"
  /// Thu, 01 Jan 2026 00:00:00 GMT.
  private static let now = Timestamp(milliseconds: 1_767_225_600_000)

  private static func verdict(
    _ status: Int, _ headers: [String: String] = [:], _ body: String = ""
  ) -> StatusVerdict {
    StatusVerdict(
      WebResponse(
        status: status, headers: headers.map { .init($0.key, $0.value) }, body: Array(body.utf8)),
      from: host, at: now)
  }

  private static func rejected(_ status: Int, _ detail: String = "") -> ReportingError {
    .rejected(by: host, status: status, detail: detail)
  }

  private static func limited(_ seconds: Int) -> StatusVerdict {
    .wait(.limited(by: host, seconds: seconds), .seconds(seconds))
  }

  @Test(arguments: [200, 201, 204])
  func `a good answer is taken, with the number that it gives`(_ status: Int) {
    #expect(Self.verdict(status, [:], #"{"id": 7}"#) == .taken(external: 7, pause: nil))
    #expect(Self.verdict(status, [:], "no JSON") == .taken(external: nil, pause: nil))
  }

  @Test func `a good answer that used the limit up is taken, and the next call waits`() {
    let verdict = Self.verdict(
      201, ["X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1767225690"])
    #expect(verdict == .taken(external: nil, pause: .seconds(90)))
    #expect(
      Self.verdict(201, ["RateLimit-Remaining": "0"]) == .taken(external: nil, pause: .seconds(60)))
    #expect(
      Self.verdict(201, ["X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "1767225690"])
        == .taken(external: nil, pause: nil))
  }

  @Test(arguments: [
    ("7", 7), ("0", 1), ("-3", 1), ("1.5", 2), ("1000000000", 3_600),
    ("Thu, 01 Jan 2026 00:02:00 GMT", 120), ("Wed, 31 Dec 2025 00:00:00 GMT", 1),
  ])
  func `a pause is asked for in seconds or as a date, and has bounds`(_ text: String, _ count: Int)
  {
    #expect(Self.verdict(429, ["Retry-After": text]) == Self.limited(count))
  }

  @Test(arguments: ["soon", "", "nan", "inf"])
  func `a pause that means nothing is a minute`(_ text: String) {
    #expect(Self.verdict(429, ["Retry-After": text]) == Self.limited(60))
  }

  @Test func `the end of a limit counts from the host's clock`() {
    let headers = [
      "Date": "Thu, 01 Jan 2026 01:00:00 GMT", "X-RateLimit-Remaining": "0",
      "X-RateLimit-Reset": "1767229230",
    ]
    #expect(Self.verdict(403, headers) == Self.limited(30))
  }

  @Test func `a refusal that speaks of a limit is one`() {
    let body = #"{"message": "You have exceeded a secondary rate limit."}"#
    #expect(Self.verdict(403, [:], body) == Self.limited(60))
    #expect(
      Self.verdict(403, [:], #"{"message": "Resource not accessible"}"#)
        == .refused(Self.rejected(403, "Resource not accessible")))
  }

  @Test(arguments: [401, 407, 408, 500, 502, 503, 599])
  func `what concerns every call makes all of them wait`(_ status: Int) {
    #expect(Self.verdict(status) == .wait(Self.rejected(status), nil))
    #expect(
      Self.verdict(status, ["retry-after": "9"]) == .wait(Self.rejected(status), .seconds(9)))
  }

  @Test(arguments: [300, 304, 400, 403, 404, 409, 410, 413, 415, 422, 451])
  func `what concerns this line alone is a refusal`(_ status: Int) {
    #expect(Self.verdict(status) == .refused(Self.rejected(status)))
  }

  @Test func `GitLab's word for a state that is there already is success`() {
    let body = #"{"message": "Cannot transition status via :run from :running"}"#
    #expect(Self.verdict(400, [:], body) == .taken(external: nil, pause: nil))
  }

  @Test(arguments: [
    (#"{"message": "No commit found"}"#, "No commit found"),
    (#"{"error": "invalid_token"}"#, "invalid_token"),
    (#"{"error": {"message": "Bad key"}}"#, "Bad key"),
    (#"{"errors": [{"message": "Not found"}, {"message": "x"}]}"#, "Not found"),
    (#"{"message": {"a": 1}}"#, ""), ("[1]", ""), ("", ""),
    (#"{"message": "a\nb\u001b[2J"}"#, "a b [2J"),
  ])
  func `the host's own words are one harmless line`(_ body: String, _ text: String) {
    #expect(Self.verdict(404, [:], body) == .refused(Self.rejected(404, text)))
  }

  @Test func `the host's own words are cut`() {
    let body = "{\"message\": \"\(String(repeating: "x", count: 10_000))\"}"
    let text = String(repeating: "x", count: 200)
    #expect(Self.verdict(404, [:], body) == .refused(Self.rejected(404, text)))
  }
}
