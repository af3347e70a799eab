from io import BytesIO

import pytest
import segno

from simulator.core.merchant import Merchant
from simulator.core.qris import crc16, qr_string
from support.simulator_desk import Desk, a_desk, a_transaction

ID = "00000000-0000-4000-8000-000000000001"
QR_ID = "A120240622100000xxxxxxxxxxID"
EMVCO_SAMPLE = (
    "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN"
    "5914BEST TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.72530315655020162330304"
    "12340603***0708A60086670902ME91320016A0112233449988770708123456786304"
)
A_REAL_STICKER = (
    "00020101021126590013ID.CO.BNI.WWW011893600009150305256502096102070790303UBE51440014ID.CO.QRIS"
    ".WWW0215ID20222337822690303UBE5204472253033605802ID5912VFS GLOBAL 66015JAKARTA SELATAN6105129"
    "4062070703A016304"
)


def objects(payload: str) -> dict[str, str]:
    """Read the tag, length, value triples of an EMVCo payload."""
    found: dict[str, str] = {}
    while payload:
        tag, length = payload[:2], int(payload[2:4])
        value, payload = payload[4 : 4 + length], payload[4 + length :]
        assert len(value) == length
        assert tag not in found
        found[tag] = value
    return found


def picture_of(text: str) -> bytes:
    picture = BytesIO()
    segno.make(text, micro=False).save(picture, kind="png", scale=8)
    return picture.getvalue()


@pytest.mark.parametrize(
    ("payload", "crc"),
    [("123456789", "29B1"), ("11", "0DD9"), (EMVCO_SAMPLE, "A13A"), (A_REAL_STICKER, "D7C5")],
)
def test_the_crc_is_the_one_of_emvco(payload: str, crc: str) -> None:
    assert crc16(payload) == crc


async def test_the_qr_string_is_a_dynamic_qris_payload(desk: Desk) -> None:
    payload = (await desk.charge(payment_type="qris")).json()["qr_string"]

    assert payload[-8:-4] == "6304"
    assert payload[-4:] == crc16(payload[:-4])
    read = objects(payload)
    assert list(read) == sorted(read)
    assert read["00"] == "01"
    assert read["01"] == "12"
    assert read["53"] == "360"
    assert read["54"] == "10000"
    assert read["58"] == "ID"
    assert read["59"] == "Warung Kopi"
    assert read["60"] == "BANDUNG"
    assert objects(read["26"])["00"] == "COM.GO-JEK.WWW"
    assert objects(read["26"])["02"] == "G141532850"
    assert objects(read["51"])["00"] == "ID.CO.QRIS.WWW"
    assert len(objects(read["62"])["05"]) <= 25


def test_a_name_that_does_not_fit_is_cut_and_spelt_in_ascii() -> None:
    merchant = Merchant(id="M1", name="Kedai Kopi Café Übersee dan Sahabat", city="珈琲")

    read = objects(qr_string(a_transaction(1), merchant))

    assert read["59"] == "Kedai Kopi Cafe Ubersee d"
    assert read["60"] == "-"
    assert objects(read["26"])["02"] == "G000000001"


async def test_two_charges_of_one_amount_have_two_codes(desk: Desk) -> None:
    one = (await desk.charge("o-1", payment_type="qris")).json()["qr_string"]
    other = (await desk.charge("o-2", payment_type="qris")).json()["qr_string"]

    assert one != other


@pytest.mark.parametrize("path", [f"/v2/qris/{ID}/qr-code", f"/v4/qris/{QR_ID}/qr-code"])
async def test_the_picture_of_a_qris_charge_holds_its_qr_string(desk: Desk, path: str) -> None:
    qr_string = (await desk.charge(payment_type="qris")).json()["qr_string"]

    picture = await desk.client.get(path, auth=("", ""))

    assert picture.status_code == 200
    assert picture.headers["content-type"] == "image/png"
    assert picture.content == picture_of(qr_string)


@pytest.mark.parametrize("path", [f"/v2/gopay/{ID}/qr-code", f"/v4/qris/gopay/{QR_ID}/qr-code"])
async def test_the_picture_of_a_gopay_charge_holds_a_qris_payload_as_well(desk: Desk, path: str) -> None:
    await desk.charge(payment_type="gopay")
    async with a_desk() as same:
        qr_string = (await same.charge(payment_type="qris")).json()["qr_string"]

    picture = await desk.client.get(path)

    assert picture.content == picture_of(qr_string)


@pytest.mark.parametrize(
    "path",
    [
        f"/v2/qris/{ID}/qr-code",
        f"/v4/qris/{QR_ID}/qr-code",
        f"/v2/paper/{ID}/qr-code",
        "/v2/gopay/nobody/qr-code",
        "/v4/qris/gopay/nobody/qr-code",
    ],
)
async def test_there_is_no_picture_of_what_was_not_charged_so(desk: Desk, path: str) -> None:
    await desk.charge(payment_type="gopay")

    assert (await desk.client.get(path)).status_code == 404
