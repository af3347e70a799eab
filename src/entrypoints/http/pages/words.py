"""Every word of the customer's pages, in both languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Final

from entrypoints.http.pages.language import Language

# Western Indonesia's, where Midtrans is.
_WIB: Final = timezone(timedelta(hours=7))


class State(StrEnum):
    """What a customer has to be told of a payment."""

    STARTING = "starting"
    WAITING = "waiting"
    OVERDUE = "overdue"
    UNPAYABLE = "unpayable"
    PAID = "paid"
    LATE = "late"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DENIED = "denied"
    FAILED = "failed"
    PARTLY_REFUNDED = "partly-refunded"
    REFUNDED = "refunded"
    PARTLY_CHARGED_BACK = "partly-charged-back"
    CHARGED_BACK = "charged-back"


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """One language; the sentences of ``states`` may name ``{merchant}``, ``{amount}`` and ``{refunded}``."""

    pay_to: str
    order: str
    pay_before: str
    time_left: str
    day: str
    paid_at: str
    app_button: str
    app_hint: str
    scan: str
    scan_steps: tuple[str, ...]
    picture: str
    refresh: str
    back: str
    trouble: str
    no_money: str
    some: str
    states: Mapping[State, tuple[str, str]]
    gone: tuple[str, str]
    away: tuple[str, str]
    broken: tuple[str, str]
    months: str
    time_format: str

    def time(self, instant: datetime) -> str:
        """An instant as a customer in Jakarta reads it."""
        there = instant.astimezone(_WIB)
        month = self.months.split()[there.month - 1]
        return f"{there.day} {month} {there.year}, {there.strftime(self.time_format)} WIB"


def rupiah(amount: int) -> str:
    """The same in both languages, as it stands in every wallet: ``Rp25.000``."""
    return f"Rp{amount:,}".replace(",", ".")


WORDS: Final = {
    Language.INDONESIAN: Words(
        pay_to="Pembayaran kepada",
        order="Pesanan",
        pay_before="Bayar sebelum",
        time_left="Sisa waktu",
        day="hari",
        paid_at="Dibayar",
        app_button="Bayar dengan GoPay",
        app_hint="Aplikasi GoPay terbuka di perangkat ini. Halaman ini tahu saat Anda sudah membayar.",
        scan="Pindai untuk membayar",
        scan_steps=(
            "Buka GoPay, atau e-wallet atau aplikasi bank lain yang membaca QRIS.",
            "Pindai kode ini, lalu periksa nama dan jumlahnya.",
            "Bayar. Halaman ini diperbarui sendiri.",
        ),
        picture="Kode QR untuk membayar {amount} kepada {merchant}",
        refresh="Perbarui status",
        back="Kembali ke toko",
        trouble="Koneksi terputus. Halaman ini terus mencoba.",
        some="Sebagian",
        no_money="Jika uang Anda tetap terpotong, hubungi {merchant} dan sebutkan nomor pesanan di bawah.",
        states={
            State.STARTING: (
                "Pembayaran sedang disiapkan",
                "Tunggu sebentar: halaman ini diperbarui sendiri.",
            ),
            State.WAITING: ("Menunggu pembayaran", ""),
            State.OVERDUE: (
                "Waktu pembayaran habis",
                "Jangan membayar lagi. Jika sudah, tunggu sebentar: halaman ini diperbarui sendiri.",
            ),
            State.UNPAYABLE: (
                "Pembayaran ini tidak bisa dilanjutkan",
                "Kode QR-nya tidak tersedia lagi. Kembalilah ke toko dan mulai pembayaran baru.",
            ),
            State.PAID: (
                "Pembayaran berhasil",
                "Terima kasih. {merchant} sudah menerima {amount} dari Anda.",
            ),
            State.LATE: (
                "Pembayaran diterima terlambat",
                "{amount} diterima setelah pembayaran ini berakhir. Tanyakan pesanan Anda kepada {merchant}.",
            ),
            State.EXPIRED: (
                "Waktu pembayaran habis",
                "Pembayaran tidak diterima pada waktunya. Kembalilah ke toko untuk mencoba lagi.",
            ),
            State.CANCELLED: (
                "Pembayaran dibatalkan",
                "Jangan membayar lagi dengan kode QR ini. Kembalilah ke toko untuk mencoba lagi.",
            ),
            State.DENIED: (
                "Pembayaran ditolak",
                "Penyedia pembayaran menolak pembayaran ini. Kembalilah ke toko untuk mencoba lagi.",
            ),
            State.FAILED: (
                "Pembayaran gagal disiapkan",
                "Tidak ada yang bisa dibayar di sini. Kembalilah ke toko untuk mencoba lagi.",
            ),
            State.PARTLY_REFUNDED: (
                "Sebagian dana dikembalikan",
                "{refunded} dari {amount} yang Anda bayar sudah dikembalikan.",
            ),
            State.REFUNDED: (
                "Dana dikembalikan",
                "{amount} yang Anda bayar sudah dikembalikan.",
            ),
            State.PARTLY_CHARGED_BACK: (
                "Sebagian dana ditarik kembali",
                "Bank Anda menarik kembali sebagian dari {amount} yang dibayar kepada {merchant}.",
            ),
            State.CHARGED_BACK: (
                "Dana ditarik kembali",
                "Bank Anda menarik kembali {amount} yang dibayar kepada {merchant}.",
            ),
        },
        gone=(
            "Halaman ini tidak ada",
            "Tautannya salah, atau pembayarannya sudah lama selesai. Tanyakan kepada toko Anda.",
        ),
        away=("Sebentar lagi", "Halaman ini sedang tidak bisa dibuka. Coba lagi sebentar lagi."),
        broken=("Ada yang salah", "Ini kesalahan kami dan sudah dicatat. Coba lagi sebentar lagi."),
        months="Jan Feb Mar Apr Mei Jun Jul Agu Sep Okt Nov Des",
        time_format="%H.%M",
    ),
    Language.ENGLISH: Words(
        pay_to="Payment to",
        order="Order",
        pay_before="Pay before",
        time_left="Time left",
        day="d",
        paid_at="Paid",
        app_button="Pay with GoPay",
        app_hint="The GoPay app opens on this device. This page finds out by itself when you have paid.",
        scan="Scan to pay",
        scan_steps=(
            "Open GoPay, or another wallet or bank app that reads QRIS.",
            "Scan this code, then check the name and the amount.",
            "Pay. This page changes by itself.",
        ),
        picture="QR code to pay {amount} to {merchant}",
        refresh="Refresh the status",
        back="Back to the shop",
        trouble="The connection is lost. This page keeps trying.",
        some="Some",
        no_money="If your money is gone all the same, ask {merchant} and name the order below.",
        states={
            State.STARTING: ("Preparing the payment", "One moment: this page changes by itself."),
            State.WAITING: ("Waiting for your payment", ""),
            State.OVERDUE: (
                "The time to pay is over",
                "Do not pay any more. If you have just paid, wait a moment: this page changes by itself.",
            ),
            State.UNPAYABLE: (
                "This payment cannot go on",
                "Its QR code is not available any more. Go back to the shop and start a new payment.",
            ),
            State.PAID: ("Payment successful", "Thank you. {merchant} has received {amount} from you."),
            State.LATE: (
                "Payment received late",
                "{amount} arrived, but after this payment had ended. Ask {merchant} about your order.",
            ),
            State.EXPIRED: (
                "The time to pay is over",
                "No payment arrived in time. Go back to the shop to try again.",
            ),
            State.CANCELLED: (
                "Payment cancelled",
                "Do not pay with this QR code any more. Go back to the shop to try again.",
            ),
            State.DENIED: (
                "Payment denied",
                "The payment provider refused this payment. Go back to the shop to try again.",
            ),
            State.FAILED: (
                "The payment could not be prepared",
                "There is nothing to pay here. Go back to the shop to try again.",
            ),
            State.PARTLY_REFUNDED: (
                "Partly refunded",
                "{refunded} of the {amount} that you paid went back to you.",
            ),
            State.REFUNDED: ("Refunded", "The {amount} that you paid went back to you."),
            State.PARTLY_CHARGED_BACK: (
                "Partly charged back",
                "Your bank took back some of the {amount} that was paid to {merchant}.",
            ),
            State.CHARGED_BACK: (
                "Charged back",
                "Your bank took back the {amount} that was paid to {merchant}.",
            ),
        },
        gone=(
            "There is no such page",
            "The link is wrong, or its payment ended a while ago. Ask your shop.",
        ),
        away=("One moment", "This page cannot be opened just now. Try again in a moment."),
        broken=("Something went wrong", "This is our fault, and it was noted. Try again in a moment."),
        months="Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
        time_format="%H:%M",
    ),
}
